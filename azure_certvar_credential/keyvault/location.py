"""Where a certificate is in a vault, and how the vault is reached: checked before the network is touched."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from azure_certvar_credential._core.checks import check_flags
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._transport.options import DEFAULT_TIMEOUTS, check_options
from azure_certvar_credential.exceptions import ConfigurationError, UnknownOptionError
from azure_certvar_credential.keyvault.guard import GuardedCredential

# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_VERSION = re.compile(r"[0-9A-Za-z]{1,127}")
_KEY_PATH = re.compile(r"/keys/[0-9A-Za-z-]{1,127}/[0-9A-Za-z]{1,127}")

_OURS = f"{__name__.partition('.')[0]}."

# What the clients of Key Vault take beside azure-core's own options.
_CLIENT_OPTIONS = frozenset({"api_version", "verify_challenge_resource"})
_OWN_OPTIONS = frozenset({"credential", "max_age", "name", "prefer_remote", "vault_url", "version", *_CLIENT_OPTIONS})

# Ten, which is what the clients do by themselves, would hold a caller up for many minutes.
_RETRIES = 3


@dataclass(frozen=True, slots=True)
class VaultLocation:
    """Where the certificate is.

    :ivar vault_url: scheme and host.
    :ivar name: the certificate's name.
    :ivar version: the version that is pinned, or None.
    :ivar prefer_remote: sign in the vault even if the key is exportable.
    """

    vault_url: str
    name: str
    version: str | None
    prefer_remote: bool


@dataclass(frozen=True, slots=True)
class Access:
    """How the vault is reached.

    :ivar credential: an azure-core credential of the right kind, synchronous or asynchronous.
    :ivar options: keyword arguments of Key Vault's clients.
    :ivar timeouts: keyword arguments of their methods: there they hold for a transport of the caller's, too.
    """

    credential: Any = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)
    timeouts: Mapping[str, float] = field(repr=False)

    def credential_for(self, url: str) -> Any:
        """The credential for a vault's URL; see :class:`GuardedCredential`."""
        if self.options.get("verify_challenge_resource", True):
            return GuardedCredential(self.credential, url)
        return self.credential

    def refuse_secrets_in_pickle(self, what: str) -> None:
        """Check that a pickle of this holds no secret and no token.

        The credentials of this package see to that themselves. azure-identity's ``ClientSecretCredential`` is pickled
        with its secret, others with the tokens that they have cached.

        :param what: the class that is pickled.
        :raises TypeError: it may hold one.
        """
        kind = type(self.credential)
        if not kind.__module__.startswith(_OURS) and vars(kind).get("holds_no_secret") is not True:
            raise TypeError(
                f"a {what} with a {kind.__name__} is not pickled: the pickle might carry its secret or its tokens. "
                f"Write an importable function that makes the {what} and calls it; a function is pickled by its name"
            )
        if "@" in str(self.options.get("proxies")):
            raise TypeError(f"a {what} with a password in proxies is not pickled: the pickle would carry it")

    @property
    def shares_transport(self) -> bool:
        """Whether the caller gave a transport, which is then the caller's to close."""
        return self.options.get("transport") is not None


def place(vault_url: object, name: object, version: object, *, prefer_remote: bool) -> VaultLocation:
    """Check where a certificate is said to be.

    :raises ConfigurationError: URL, name or version cannot be such.
    """
    base, host, path = _split(vault_url)
    if path not in ("", "/"):
        raise ConfigurationError(
            f"vault_url is only scheme and host, such as https://contoso.vault.azure.net, not "
            f"{redact_value(vault_url)}; name "
            "and version of the certificate are arguments of their own"
        )
    if ".managedhsm." in f".{host}":
        raise ConfigurationError(
            f"{host} is a Managed HSM, which holds keys and no certificates: give ClientCertificate(leaf, "
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


def checked_key_id(key_id: object) -> str:
    """Check the identifier of a key.

    :raises ConfigurationError: it is not ``https://{vault}/keys/{name}/{version}``.
    """
    base, _, path = _split(key_id)
    if not _KEY_PATH.fullmatch(path):
        # Without its version it would mean another key after the next rotation.
        raise ConfigurationError(
            "a key's identifier is https://contoso.vault.azure.net/keys/NAME/VERSION, with the version; "
            f"not {redact_value(key_id)}"
        )
    return f"{base}{path}"


def access(credential: object, options: Mapping[str, Any], *, asynchronous: bool) -> Access:
    """Check how a vault is said to be reached.

    :param options: keyword arguments for Key Vault's clients.
    :param asynchronous: which kind of credential is wanted.
    :raises ConfigurationError: the credential is none, or of the other kind; also for unknown options.
    """
    get_token = getattr(credential, "get_token", None) or getattr(credential, "get_token_info", None)
    if not callable(get_token):
        raise ConfigurationError(
            f"credential is what the vault is reached with, an object with get_token(); not {type(credential).__name__}"
        )
    is_asynchronous = inspect.iscoroutinefunction(get_token) or hasattr(credential, "__aexit__")
    if is_asynchronous and not asynchronous and not hasattr(credential, "__exit__"):
        raise ConfigurationError(
            f"{type(credential).__name__} is asynchronous; use azure_certvar_credential.keyvault.aio with it"
        )
    if asynchronous and not is_asynchronous:
        raise ConfigurationError(
            f"{type(credential).__name__} is synchronous; use an asynchronous one, or azure_certvar_credential.keyvault"
        )
    if "logging_enable" in options:
        raise UnknownOptionError("logging_enable is not an option here: the log would hold the private key")
    check_options(
        {name: value for name, value in options.items() if name not in _CLIENT_OPTIONS},
        known_options=_OWN_OPTIONS,
    )
    timeouts = {name: options.get(name, seconds) for name, seconds in DEFAULT_TIMEOUTS.items()}
    rest = {name: value for name, value in options.items() if name not in timeouts}
    return Access(credential, {"retry_total": _RETRIES, **rest}, timeouts)


@contextmanager
def requires_keyvault_extra() -> Iterator[None]:
    """Around an import of Key Vault's clients.

    :raises ImportError: one of them is not installed; the message says what to install.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if not missing.startswith(("azure.keyvault", "aiohttp")):
            raise
        extras = "aio,keyvault" if missing.startswith("aiohttp") else "keyvault"
        raise ImportError(
            f"Key Vault needs {missing}: pip install 'azure-certvar-credential[{extras}]'", name=missing
        ) from error


def client_class(module: str, name: str) -> Any:
    """Return one of the client classes of Azure's packages for Key Vault.

    :raises ImportError: the package is not installed.
    """
    with requires_keyvault_extra():
        return getattr(import_module(module), name)


def require_clients() -> None:
    """Import what a source needs, so that a missing extra is known when it is made.

    :raises ImportError: a package is not installed.
    """
    client_class("azure.keyvault.certificates", "CertificateClient")
    client_class("azure.keyvault.secrets", "SecretClient")
    client_class("azure.keyvault.keys.crypto", "CryptographyClient")


def _split(url: object) -> tuple[str, str, str]:
    """Scheme and host; host; path."""
    if not isinstance(url, str):
        raise ConfigurationError(f"a Key Vault URL is text, not {type(url).__name__}")
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"{redact_value(url)} is not a URL") from None
    if parts.scheme != "https" or not host or parts.username is not None or parts.query or parts.fragment:
        # Over http the vault's answer, the private key, would be in clear.
        raise ConfigurationError(
            f"a Key Vault URL is https://contoso.vault.azure.net or the like, not {redact_value(url)}"
        )
    return f"https://{parts.netloc}", host, parts.path
