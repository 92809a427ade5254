"""Pickles a credential as a reference to its certificate's source and its plain options, and never a secret."""

from __future__ import annotations

from typing import Any

from azure_certvar_credential._core.options import CertificateOptions, CredentialOptions
from azure_certvar_credential._runtime.certificate_provider import describe
from azure_certvar_credential._secrecy.by_name import by_name
from azure_certvar_credential._secrecy.picklable import refuse_secret
from azure_certvar_credential.certificates.sources import holds_no_secret


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
        if name != "certificate" and not (name == "token_cache" and _pickles_itself(value)):
            refuse_secret(kind.__name__, name, value)
    return by_name(kind.__name__, (_rebuilt, (kind, arguments)))


def _pickles_itself(cache: object) -> bool:
    """Return whether a token cache pickles as nothing but where it is, or refuses by itself, as one with a password."""
    kind = type(cache)
    return kind.__module__.startswith("azure_certvar_credential.caches.") or vars(kind).get("holds_no_secret") is True


def _rebuilt(kind: type[Any], arguments: dict[str, Any]) -> Any:
    return kind(**arguments)
