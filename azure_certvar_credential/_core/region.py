"""Azure regions: names that become part of a host name, and the choice of one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from azure_certvar_credential._core.authority import AUTO_REGION, REGION_VARIABLE, Authority
from azure_certvar_credential._core.checks import refuse_quotes
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import ConfigurationError

# The values for AUTO_REGION in azure-identity's versions for all languages.
_AUTO_NAMES = frozenset({AUTO_REGION, "tryautodetect", "autodiscoverregion", "true"})

# Values that people set for "none"; as host names they would belong to somebody else.
_NO_NAMES = frozenset({"false", "none", "no", "off", "disabled"})

# One label of a host name (RFC 1035 section 2.3.1); Azure's regions have no hyphens.
_REGION = r"[a-z][a-z0-9]{1,62}"


def normalized(name: str) -> str | None:
    """Return a region's name in its host form, ``westeurope`` for ``West Europe``; None if it is not a name."""
    text = name.replace(" ", "").lower() if name.isascii() else ""
    return text if re.fullmatch(_REGION, text) else None


def choose(region: str | None, authority: Authority, environment: Mapping[str, str]) -> str | None:
    """Return the region of the token endpoint, :data:`.authority.AUTO_REGION`, or None for the global endpoint.

    :param region: the caller's choice, or None.
    :param authority: the authorization server.
    :param environment: the process's environment variables; their region applies to authorities that have regions.
    :raises ConfigurationError: it is not the name of a region, or the caller chose it for an authority without regions.
    """
    if region is None:
        name = environment.get(REGION_VARIABLE)
        if name and name.strip().lower() in _NO_NAMES:
            return None
        return _parse(name, f"the environment variable {REGION_VARIABLE}") if name and authority.regional else None
    parsed = _parse(region, "region")
    if not authority.regional:
        who = "an authority named by its address" if authority.rules.regional else authority.rules.title
        raise ConfigurationError(f"{who} has no endpoints in Azure regions: leave region out")
    return parsed


def _parse(name: object, source: str) -> str:
    refuse_quotes(source, name)
    found = normalized(name) if isinstance(name, str) else None
    if found is None or found in _NO_NAMES:
        raise ConfigurationError(
            f"{source} must be the name of an Azure region, such as 'westeurope', or {AUTO_REGION!r}, "
            f"not {redact_value(name)}"
        )
    return AUTO_REGION if found in _AUTO_NAMES else found
