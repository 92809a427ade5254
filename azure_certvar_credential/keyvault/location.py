"""Where a certificate or key is: URL, name and version, checked before anything is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from azure_certvar_credential._core.checks import check_flags
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import ConfigurationError

# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_VERSION = re.compile(r"[0-9A-Za-z]{1,127}")
_KEY_PATH = re.compile(r"/keys/[0-9A-Za-z-]{1,127}/[0-9A-Za-z]{1,127}")
_KEY_ID = re.compile(rf"https://[^/?#]+({_KEY_PATH.pattern})")
# Host or IPv6 address, and port. A backslash, for instance, ends the host for some readers of URLs and not for others.
_AUTHORITY = re.compile(r"(?:[0-9A-Za-z.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")

_EXAMPLE = "https://contoso.vault.azure.net"


@dataclass(frozen=True, slots=True)
class VaultLocation:
    """The location of a certificate.

    :ivar vault_url: scheme and host.
    :ivar name: the certificate's name.
    :ivar version: the version that is pinned, or None.
    :ivar prefer_remote: sign in the vault even if the key is exportable.
    """

    vault_url: str
    name: str
    version: str | None
    prefer_remote: bool


def check_location(vault_url: object, name: object, version: object, *, prefer_remote: bool) -> VaultLocation:
    """Check the location of a certificate.

    :raises ConfigurationError: URL, name, version or flag is not valid.
    """
    base, host, path = _split(vault_url)
    if path not in ("", "/"):
        raise ConfigurationError(
            f"vault_url must be scheme and host, such as {_EXAMPLE}, not {redact_value(vault_url)}; pass the "
            "certificate's name and version as name and version"
        )
    if ".managedhsm." in f".{host}":
        raise ConfigurationError(
            f"{host} is a Managed HSM, which holds keys but no certificates: use ClientCertificate(leaf, "
            "KeyVaultSigner(key_id, leaf.public_key(), credential)) with a leaf that you keep elsewhere"
        )
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"a certificate's name is 1 to 127 letters, digits and hyphens, not {redact_value(name)}"
        )
    if version is not None and (not isinstance(version, str) or not _VERSION.fullmatch(version)):
        raise ConfigurationError(f"a certificate's version is letters and digits, or None, not {redact_value(version)}")
    check_flags(prefer_remote=prefer_remote)
    return VaultLocation(base, name, version, bool(prefer_remote))


def check_key_id(key_id: object) -> str:
    """Check the identifier of a key.

    :raises ConfigurationError: it is not ``https://{vault}/keys/{name}/{version}``.
    """
    base, _, path = _split(key_id)
    if not _KEY_PATH.fullmatch(path):
        # Without a version it would name another key after the next rotation.
        raise ConfigurationError(
            f"a key's identifier is {_EXAMPLE}/keys/NAME/VERSION, with the version; not {redact_value(key_id)}"
        )
    return f"{base}{path}"


def key_id_in(vault_url: str, key_id: object) -> str | None:
    """Return a key identifier that a vault sent, as one in that vault; None if it is not one.

    The vault's own URL takes the place of the one in the identifier, so that no vault can have a token sent to another
    host; and a key is reached through the same gateway as its certificate.
    """
    found = _KEY_ID.fullmatch(key_id) if isinstance(key_id, str) else None
    return f"{vault_url}{found[1]}" if found else None


def _split(url: object) -> tuple[str, str, str]:
    """Return scheme and host, the host alone, and the path."""
    if not isinstance(url, str):
        raise ConfigurationError(f"a Key Vault URL is a str, not {type(url).__name__}")
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    # Over http the vault's answer, the private key, would be in clear.
    if not host or parts.scheme != "https" or not _AUTHORITY.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise ConfigurationError(f"a Key Vault URL looks like {_EXAMPLE}, unlike {redact_value(url)}")
    return f"https://{parts.netloc}", host, parts.path
