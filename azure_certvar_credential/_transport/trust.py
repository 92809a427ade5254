"""Which servers a connection trusts: one SSL context, by the same rules for the sync and the async transport."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from azure_certvar_credential._http.sockets import ClosingSocket
from azure_certvar_credential.exceptions import ConfigurationError

# requests reads the first two, OpenSSL itself the others; the first that is set is in force.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_OPENSSL = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def variable_in_force(options: Mapping[str, Any]) -> str | None:
    """Return the environment variable that names the trusted authorities, or None.

    :param options: checked pipeline options; ``connection_verify`` overrides the environment.
    """
    if options.get("connection_verify") not in (None, True):
        return None
    names = _OPENSSL if options.get("use_env_settings") is False else _BUNDLES + _OPENSSL
    return next((name for name in names if os.environ.get(name)), None)


def explained(options: Mapping[str, Any], *, own: bool) -> str:
    """Return which authorities are trusted, and how to trust others: the end of a message.

    :param options: checked pipeline options.
    :param own: whether this package made the transport.
    """
    if not own:
        return "The transport that was passed decides which certificate authorities are trusted"
    if options.get("connection_verify") not in (None, True):
        return "connection_verify decides which certificate authorities are trusted"
    variable = variable_in_force(options)
    source = f"the environment variable {variable}" if variable else "the system and certifi"
    return (
        f"The trusted certificate authorities come from {source}; to trust another, such as that of a proxy that "
        "inspects TLS, pass its PEM file as connection_verify or name it in REQUESTS_CA_BUNDLE"
    )


def ssl_context(options: Mapping[str, Any]) -> ssl.SSLContext:
    """Return the SSL context for connections; a context of the caller's own is returned as it is.

    Without an option or a variable it trusts the authorities of the system and those of certifi, because either list
    may be empty or outdated.

    :param options: checked pipeline options.
    :raises ConfigurationError: an environment variable or a file that has changed names no authorities.
    """
    verify, variable = options.get("connection_verify"), variable_in_force(options)
    if isinstance(verify, ssl.SSLContext):
        return verify
    if verify is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    elif verify not in (None, True):
        context = _trusting(verify, "connection_verify")
    elif variable in _BUNDLES:
        context = _trusting(os.environ[variable], variable)
    else:
        context = ssl.create_default_context()
        if variable is None:
            from certifi import where

            context.load_verify_locations(where())
    context.sslsocket_class = ClosingSocket
    context.set_alpn_protocols(["http/1.1"])
    cert = options.get("connection_cert")
    if cert and not _succeeds(lambda: _present(context, cert)):
        raise ConfigurationError("connection_cert names no PEM file with a certificate and its unencrypted key")
    return context


def holds_authorities(path: str | os.PathLike[str]) -> bool:
    """Return whether OpenSSL reads a certificate authority from a file; a directory it reads only when it verifies."""
    try:
        state = os.stat(path)  # noqa: PTH116 - Path raises for what can be no path
    except (OSError, ValueError):
        return False
    return _holds_authorities(os.fspath(path), state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


# Those who build a credential for each customer name the same file each time, and the answer takes as long as the rest
# of a credential.
@lru_cache(maxsize=8)
def _holds_authorities(path: str, *_state: int) -> bool:
    return _succeeds(lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**_location(path)))


def holds_client_certificate(cert: Any) -> bool:
    """Return whether OpenSSL reads a certificate and its unencrypted key from a path or a pair of paths."""
    return _succeeds(lambda: _present(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), cert))


def _trusting(path: str | os.PathLike[str], name: str) -> ssl.SSLContext:
    with suppress(OSError, ValueError):  # OpenSSL's errors, and that of a path with a null character
        return ssl.create_default_context(**_location(path))
    raise ConfigurationError(
        f"{name} names no PEM file or directory with certificate authorities: correct it, or pass connection_verify"
    )


def _location(path: str | os.PathLike[str]) -> dict[str, Any]:
    is_directory = os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises for what can be no path
    return {"capath" if is_directory else "cafile": path}


def _present(context: ssl.SSLContext, cert: Any) -> None:
    # An empty password, or OpenSSL would ask for one at the terminal.
    certificate, key = (cert, None) if isinstance(cert, str) else cert
    context.load_cert_chain(certificate, key, password="")


def _succeeds(load: Callable[[], None]) -> bool:
    try:
        load()
    except (OSError, ValueError):  # as above
        return False
    return True
