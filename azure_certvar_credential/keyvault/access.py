"""How a vault is reached: credential, options and time limits, checked before anything is sent."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from azure_certvar_credential._secrecy.known_secrets import of_options, of_token
from azure_certvar_credential._secrecy.picklable import refuse_secret
from azure_certvar_credential._transport.options import DEFAULT_TIMEOUTS, asked, check_options
from azure_certvar_credential.exceptions import ConfigurationError, UnknownOptionError
from azure_certvar_credential.keyvault.guard import GuardedCredential

_PACKAGE = f"{__name__.partition('.')[0]}."

# Options of Key Vault's clients, beside those of azure-core.
_CLIENT_OPTIONS = frozenset({"api_version", "verify_challenge_resource"})
_KNOWN_OPTIONS = frozenset({"credential", "max_age", "name", "prefer_remote", "vault_url", "version", *_CLIENT_OPTIONS})

# Seconds for one reading or signature, with all its calls, their retries and the waits between them.
_TIMEOUT = 30.0
# The clients' own default of ten retries is more than that time is worth. A vault redirects nowhere; a redirect would
# take the token along.
_DEFAULTS = {"retry_total": 3, "permit_redirects": False}

_REFUSED = {
    "logging_enable": "the log would contain the private key",
    "policies": "they would replace those that authenticate to the vault; pass per_call_policies or per_retry_policies",
}


@dataclass(frozen=True, slots=True)
class Access:
    """How a vault is reached.

    :ivar credential: an azure-core credential, synchronous or asynchronous as its clients need it.
    :ivar options: keyword arguments of Key Vault's clients.
    :ivar timeouts: seconds to connect and to wait for data, each.
    :ivar timeout: seconds for one reading or signature as a whole.
    """

    credential: Any = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)
    timeouts: Mapping[str, float]
    timeout: float

    def credential_for(self, url: str) -> GuardedCredential:
        """Return the credential for a vault's URL."""
        anywhere = not self.options.get("verify_challenge_resource", True)
        return GuardedCredential(self.credential, url, anywhere=anywhere)

    def secrets(self, credential: GuardedCredential) -> list[str]:
        """Return what a client of Key Vault knows, and no message may quote.

        :param credential: the client's.
        """
        return [*of_options(self.options), *(part for token in credential.tokens for part in of_token(token))]

    def timeouts_within(self, seconds: float) -> dict[str, float]:
        """Return the keyword arguments that keep one call's connecting and reading within the time left.

        They go to the clients' methods, where they hold for a caller's own transport as well.
        """
        return {name: min(timeout, seconds) for name, timeout in self.timeouts.items()}

    def refuse_secrets_in_pickle(self, owner: str) -> None:
        """Check that a pickle of this holds no secret and no token.

        This package's credentials refuse to be pickled with one themselves. azure-identity's ``ClientSecretCredential``
        is pickled with its secret, others with the tokens that they have cached.

        :param owner: the class that is pickled, for the message.
        :raises TypeError: it may hold one.
        """
        kind = type(self.credential)
        if not kind.__module__.startswith(_PACKAGE) and vars(kind).get("holds_no_secret") is not True:
            raise TypeError(
                f"a {owner} with a {kind.__name__} is not pickled: the pickle might carry its secret or its tokens. "
                f"Write an importable function that makes the {owner} and calls it; a function is pickled by its name"
            )
        for name, value in self.options.items():
            refuse_secret(owner, name, value)

    def explain_trust(self) -> str:
        """Return which certificate authorities are trusted, and how to trust others: the end of a message."""
        from azure_certvar_credential._transport import trust  # loads OpenSSL

        return trust.explained(self.options, own=not self.shares_transport)

    @property
    def shares_transport(self) -> bool:
        """Whether the transport is the caller's, and therefore the caller's to close."""
        return "transport" in self.options


def check_access(credential: object, options: Mapping[str, Any], *, asynchronous: bool) -> Access:
    """Check how a vault is to be reached.

    :param credential: an azure-core credential.
    :param options: keyword arguments for Key Vault's clients; None stands for the default.
    :param asynchronous: whether the credential has to be asynchronous or synchronous.
    :raises ConfigurationError: the credential is not one, or of the other kind; or an option is unknown or unusable.
    """
    name = type(credential).__name__
    get_token = getattr(credential, "get_token", None) or getattr(credential, "get_token_info", None)
    if not callable(get_token):
        raise ConfigurationError(f"credential must be an object with get_token() that may use the vault, not {name}")
    is_asynchronous = inspect.iscoroutinefunction(get_token) or hasattr(credential, "__aexit__")
    if is_asynchronous and not asynchronous and not hasattr(credential, "__exit__"):
        raise ConfigurationError(f"{name} is asynchronous; use azure_certvar_credential.keyvault.aio with it")
    if asynchronous and not is_asynchronous:
        raise ConfigurationError(
            f"{name} is synchronous; use an asynchronous credential, or azure_certvar_credential.keyvault"
        )
    options = asked(options)
    for option, reason in _REFUSED.items():
        if options.get(option) not in (None, False):
            raise UnknownOptionError(f"{option} is not an option here: {reason}")
    check_options(
        {name: value for name, value in options.items() if name not in _CLIENT_OPTIONS},
        known_options=lambda: _KNOWN_OPTIONS,
    )
    given = {name: value for name, value in options.items() if value is not None}
    timeout = float(given.pop("timeout", _TIMEOUT))
    timeouts = {name: given.pop(name, seconds) for name, seconds in DEFAULT_TIMEOUTS.items()}
    return Access(credential, {**_DEFAULTS, **given}, timeouts, timeout)


@contextmanager
def requires_keyvault_extra() -> Iterator[None]:
    """Name the extra to install when an import of Key Vault's clients fails.

    :raises ImportError: a package is not installed.
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
    """Return a class of Azure's packages for Key Vault.

    :raises ImportError: the package is not installed.
    """
    with requires_keyvault_extra():
        return getattr(import_module(module), name)
