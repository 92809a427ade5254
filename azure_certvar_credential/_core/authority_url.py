"""Reads the authority that a caller names, and its kind.

Any input yields an https URL of the named host, or a :class:`ConfigurationError`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from azure_certvar_credential._core.authority import (
    B2C_SUFFIXES,
    CIAM_SUFFIX,
    DEFAULT_HOST,
    KNOWN_HOSTS,
    RULES,
    Authority,
    Kind,
    retired,
)
from azure_certvar_credential._core.checks import refuse_quotes
from azure_certvar_credential._core.tenant import ADFS
from azure_certvar_credential._secrecy.redaction import redact_value, showable
from azure_certvar_credential.exceptions import ConfigurationError

DSTS = "dstsv2"
# The first part of B2C's older paths (trust framework policy), and of the oldest (trust engine).
_B2C_PREFIX, _B2C_OLDEST = "tfp", "te"
# User flows are named B2C_1_…, custom policies B2C_1A_…
_POLICY_START = "b2c_"
_WELL_KNOWN = "/.well-known/openid-configuration"

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # RFC 1123 section 2.1
# Stricter than urlsplit, which ignores characters around brackets.
_NETLOC = rf"(?:({_LABEL}(?:\.{_LABEL})*)|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{{0,5}}))?"
_LONGEST_HOST, _LARGEST_PORT = 253, 65535
_POLICY = r"[A-Za-z0-9_-]{1,128}"
# RFC 3986 section 3.3, without the segments "." and "..", which clients and servers resolve differently.
_ISSUER_PATH = r"(?:/(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})+)*"

# The form of each kind, and a remark; tenant and policy are placeholders, not the caller's values.
_FORMS: dict[Kind, tuple[str, str]] = {
    "entra": ("a host only, such as https://{host}", "the tenant goes into tenant_id"),
    "adfs": ("https://{host}/adfs", "ADFS has no tenants"),
    "b2c": (
        "https://{host}/tenant/policy, such as https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1A_app",
        "",
    ),
    "ciam": ("https://{host}, alone or with the tenant as its path", "the tenant goes into tenant_id"),
    "dsts": ("https://{host}/dstsv2/tenant", ""),
}


def parse_authority(authority: str, *, tenant_id: str, trusted_kinds: Collection[Kind]) -> Authority:
    """Check an authority and return it with its kind.

    :param authority: a host such as ``login.microsoftonline.us``, or an https URL of one; a port is allowed. A path
        names another kind: ``/adfs``, ``/dstsv2/{tenant}``, or ``/{tenant}/{policy}`` of B2C.
    :param tenant_id: the credential's tenant; ``adfs`` makes the authority an ADFS server.
    :param trusted_kinds: the kinds of authority whose host need not be on Microsoft's list.
    :raises ConfigurationError: it is not https or not a host, is retired or unknown, names another tenant, or has a
        path of no kind.
    """
    host, port, path, more = _split("authority", authority, f"a host name or an https URL, such as {DEFAULT_HOST}")
    _check_exists("authority", host)
    segments = path.strip("/").split("/") if path.strip("/") else []
    kind = _kind(host, segments, tenant_id)
    if tenant_id == ADFS and kind != "adfs":
        raise ConfigurationError(
            f"tenant_id 'adfs' means an ADFS server, and authority {redact_value(host)} is {RULES[kind].title}: pass "
            "authority='https://your-server/adfs', or the tenant's GUID or domain name as tenant_id"
        )
    rest = _without_prefix(kind, segments)
    if more or rest is None:
        raise ConfigurationError(_other_form(kind, host, segments, authority))
    if kind not in ("b2c", "ciam") or not host.endswith((*B2C_SUFFIXES, CIAM_SUFFIX)):
        _check_known(host, trusted=kind in trusted_kinds)
    if rest and rest[0].lower() != tenant_id:
        raise ConfigurationError(
            f"authority names tenant {redact_value(rest[0])}, and tenant_id is {redact_value(tenant_id)}: pass "
            "the same tenant in both"
        )
    return Authority(_base(host, port), kind, rest[1] if len(rest) > 1 else "")


def parse_issuer(issuer: str, *, tenant_id: str) -> Authority:
    """Check the issuer of an OpenID provider.

    :param issuer: its https URL, exactly as in its metadata document.
    :param tenant_id: the credential's tenant.
    :raises ConfigurationError: it is not an https URL, is retired, or has a query, a fragment or the metadata
        document's path.
    """
    expected = "the issuer's https URL, such as https://idp.example/tenant"
    refuse_quotes("oidc_authority", issuer)
    if isinstance(issuer, str) and issuer.strip() and "://" not in issuer:
        raise ConfigurationError(f"oidc_authority must be {expected}, not {redact_value(issuer)}")
    host, port, path, more = _split("oidc_authority", issuer, expected)
    _check_exists("oidc_authority", host)
    path = path.rstrip("/")
    if tenant_id == ADFS or path.lower() == f"/{ADFS}":
        raise ConfigurationError(
            "oidc_authority must not be an ADFS server: pass authority='https://your-server/adfs' and "
            "disable_instance_discovery=True instead"
        )
    if path.lower().endswith(_WELL_KNOWN):
        raise ConfigurationError(f"oidc_authority must be the issuer alone: leave out {_WELL_KNOWN!r} at its end")
    if more or not re.fullmatch(_ISSUER_PATH, path):
        raise ConfigurationError(
            f"oidc_authority must be {expected}, without query and fragment, not {redact_value(issuer)}"
        )
    return Authority(_base(host, port) + path, "oidc")


def _split(name: str, value: str, expected: str) -> tuple[str, int | None, str, bool]:
    """Return host, port and path of a URL, and whether it has a query or fragment."""
    refuse_quotes(name, value)
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{name} must be {expected}, not {redact_value(value)}")
    text = value.strip()
    if "@" in text:  # not shown: a password usually stands before it
        raise ConfigurationError(f"{name} must not contain a user name or password: remove it up to the '@'")
    parts = None
    # urlsplit drops tabs and line ends, and some letters of other scripts become ASCII in lower case.
    if text.isascii() and not any(c.isspace() or not c.isprintable() for c in text):
        with suppress(ValueError):  # an unclosed bracket
            parts = urlsplit(text if "://" in text else f"https://{text}")
    if parts is not None and parts.scheme != "https":
        raise ConfigurationError(f"{name} {redact_value(value)} must use https: the request carries a credential")
    netloc = None if parts is None else re.fullmatch(_NETLOC, parts.netloc)
    if parts is not None and netloc is not None:
        port = int(netloc[3]) if netloc[3] else None
        is_host = _is_ipv6(netloc[2]) if netloc[2] else len(netloc[1]) <= _LONGEST_HOST
        if is_host and (port is None or 0 < port <= _LARGEST_PORT):
            return (netloc[1] or netloc[2]).lower(), port, parts.path, bool(parts.query or parts.fragment)
    raise ConfigurationError(f"{name} {redact_value(value)} is not {expected}")


def _kind(host: str, segments: list[str], tenant_id: str) -> Kind:
    first = segments[0].lower() if segments else ""
    if host.endswith(B2C_SUFFIXES):
        return "b2c"
    if host.endswith(CIAM_SUFFIX):
        return "ciam"
    if host in KNOWN_HOSTS:
        return "entra"
    if ADFS in (first, tenant_id):
        return "adfs"
    if first == DSTS:
        return "dsts"
    return "b2c" if _is_b2c(segments) else "entra"


def _is_b2c(segments: list[str]) -> bool:
    first, second = (*segments, "", "")[:2]
    return _is_prefix(first) or second.lower().startswith(_POLICY_START)


def _is_prefix(segment: str) -> bool:
    return segment.lower() in (_B2C_PREFIX, _B2C_OLDEST)


def _without_prefix(kind: Kind, segments: list[str]) -> list[str] | None:
    """Return the tenant and policy in a path, or None if the kind has no such path."""
    match kind, segments:
        case (("entra" | "adfs" | "ciam"), []):
            return []
        case "adfs", [first] if first.lower() == ADFS:
            return []
        case "ciam", [_]:
            return segments
        case "dsts", [_, tenant]:
            return [tenant]
        case "b2c", [_, policy] if re.fullmatch(_POLICY, policy) and not _is_prefix(segments[0]):
            return segments
        case "b2c", [prefix, tenant, policy] if re.fullmatch(_POLICY, policy) and prefix.lower() == _B2C_PREFIX:
            return [tenant, policy]
    return None


def _other_form(kind: Kind, host: str, segments: list[str], authority: str) -> str:
    if kind == "entra" and _is_b2c(segments):
        return (
            f"authority {redact_value(host)} no longer serves Azure AD B2C: pass "
            "https://name.b2clogin.com/tenant/policy instead"
        )
    form, remedy = _FORMS[kind]
    shape = form.format(host=host if showable(host) else DEFAULT_HOST)
    which = "" if kind == "entra" else f" of {RULES[kind].title}"
    return f"authority{which} must be {shape}, not {redact_value(authority)}" + (f": {remedy}" if remedy else "")


def _check_exists(name: str, host: str) -> None:
    reason = retired(host)
    if reason is not None:
        raise ConfigurationError(f"{name} {redact_value(host)} no longer exists: {reason}")


def _check_known(host: str, *, trusted: bool) -> None:
    if host not in KNOWN_HOSTS and not trusted:
        raise ConfigurationError(
            f"authority {redact_value(host)} is not one of Microsoft's sign-in hosts "
            f"({', '.join(sorted(KNOWN_HOSTS))}); "
            "if you know and trust it, pass disable_instance_discovery=True"
        )


def _base(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"https://{name}" if port in (None, 443) else f"https://{name}:{port}"


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True
