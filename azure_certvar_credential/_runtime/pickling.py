"""Pickles a credential as a reference to its certificate's source and its plain options, and never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from azure_certvar_credential._core.options import CertificateOptions, CredentialOptions
from azure_certvar_credential._runtime.certificate_provider import describe
from azure_certvar_credential.certificates.sources import holds_no_secret

# Of these values a pickle carries what their text shows, and nothing of this process.
_PLAIN = (type(None), bool, int, float, str, PurePath)
# They are text and may be a secret all the same.
_SECRET_TEXTS = ("headers", "base_headers")


def pickled(kind: type[Any], options: CredentialOptions) -> tuple[Any, ...]:
    """Return what ``__reduce__`` returns: a reference to the source, and never a key.

    :param kind: the credential's class.
    :param options: its arguments, without a certificate or password that were handed over.
    :raises TypeError: a pickle would carry the certificate, a password, a token or an object of this process.
    """
    if not isinstance(options, CertificateOptions):
        raise TypeError(
            f"a {kind.__name__} is not pickled: its assertion_source may hold what must not leave the process. "
            "Make it anew in the other process"
        )
    if options.certificate is None or options.password is not None:
        raise TypeError(
            f"a {kind.__name__} that was given its certificate or a password is not pickled: the pickle would "
            "carry the private key or the password in clear. Give it a source, an importable function that "
            "returns the certificate; then the pickle holds a reference to that function"
        )
    if not holds_no_secret(options.certificate):
        raise TypeError(
            f"a {kind.__name__} with the source {describe(options.certificate)} is not pickled: what a pickle would "
            "carry of it may be the private key. Give it a function or class that can be imported, an "
            "EnvironmentCertificate, or an instance of a class that says holds_no_secret = True"
        )
    arguments = options.arguments()
    for name, value in arguments.items():
        if name != "certificate":
            _refuse_secret(kind, name, value)
    return _rebuilt, (kind, arguments)


def _refuse_secret(kind: type[Any], name: str, value: object) -> None:
    if name in _SECRET_TEXTS and value:
        raise TypeError(f"a {kind.__name__} with {name} is not pickled: one of them may be a secret")
    if _has_password(value):
        raise TypeError(f"a {kind.__name__} with a password in {name} is not pickled: the pickle would carry it")
    if not _is_plain(value):
        raise TypeError(
            f"a {kind.__name__} with {name} is not pickled: it belongs to this process, and may hold what must not "
            "leave it in clear. Make the credential anew in the other process"
        )


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(part) for pair in value.items() for part in pair)
    if isinstance(value, (tuple, list, set, frozenset)):
        return all(map(_is_plain, value))
    return type(value) in _PLAIN or isinstance(value, PurePath)


def _has_password(value: object) -> bool:
    """Say whether a URL in a value has user information before an ``@``."""
    if isinstance(value, str):
        return "://" in value and "@" in value
    if isinstance(value, Mapping):
        return any(_has_password(part) or (isinstance(part, str) and "@" in part) for part in value.values())
    return isinstance(value, (tuple, list, set, frozenset)) and any(map(_has_password, value))


def _rebuilt(kind: type[Any], arguments: dict[str, Any]) -> Any:
    return kind(**arguments)
