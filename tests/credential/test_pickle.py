"""A pickle of a credential refers to a source that can be imported, or names it, and never carries a key."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.certificates.sources import CertificateSource, EnvironmentCertificate
from tests.reprs import without_address

PEM: dict[str, str] = {}


def importable_source() -> str:
    """A source that a pickle can refer to."""
    return PEM["certificate"]


class Importable:
    """A class, and in it a function, that a pickle can refer to."""

    @staticmethod
    def static() -> str:
        return PEM["certificate"]


class Declared:
    """A source that says of itself that its state is no secret."""

    holds_no_secret = True

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self) -> str:
        return PEM[self.name]


class Undeclared(Declared):
    """Inherits, and may have added anything."""


class Source:
    """Holds what it returns."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def __call__(self) -> Any:
        return self.answer


# What pickles, and would carry the key.
SECRETIVE: dict[str, Callable[[str], object]] = {
    "partial": lambda pem: functools.partial(str, pem),
    "instance": Source,
    "bound method": lambda pem: Source(pem).__call__,
    "method of a text": lambda pem: pem.strip,
    "source around a partial": lambda pem: CertificateSource(functools.partial(str, pem)),
    "source around a source": lambda pem: CertificateSource(CertificateSource(Source(pem))),
    "heir of one that holds none": Undeclared,
}


@pytest.mark.parametrize("kind", [CertVarCredential, AsyncCertVarCredential], ids=["sync", "aio"])
class TestPickle:
    """A pickle carries a reference to an importable source, and never a key."""

    def test_a_credential_with_a_source_is_pickled_by_reference(
        self, kind: type, certificate: ClientCertificate
    ) -> None:
        PEM["certificate"] = certificate.to_pem()
        credential = kind("contoso.example", "client", importable_source, authority="login.microsoftonline.us")

        data = pickle.dumps(credential)
        copied = pickle.loads(data)  # noqa: S301 - our own

        assert b"PRIVATE" not in data
        assert type(copied) is kind
        assert without_address(copied) == without_address(credential)
        assert "certificate from importable_source" in repr(copied)

    def test_a_password_is_not_pickled(self, kind: type) -> None:
        with pytest.raises(TypeError, match="password"):
            pickle.dumps(kind("contoso.example", "client", importable_source, password="secret"))

    def test_a_source_that_cannot_be_referred_to_is_not_pickled(self, kind: type) -> None:
        with pytest.raises(TypeError, match="can be imported"):
            pickle.dumps(kind("contoso.example", "client", lambda: PEM))

    @pytest.mark.parametrize("form", SECRETIVE)
    def test_a_source_that_may_hold_the_key_is_not_pickled(
        self, kind: type, form: str, certificate: ClientCertificate
    ) -> None:
        credential = kind("contoso.example", "client", SECRETIVE[form](certificate.to_pem()))

        with pytest.raises(TypeError, match="may be the private key") as caught:
            pickle.dumps(credential)
        assert certificate.to_pem()[40:60] not in str(caught.value)

    @pytest.mark.parametrize(
        "source",
        [
            importable_source,
            Importable,
            Importable.static,
            CertificateSource(importable_source, max_age=60),
            EnvironmentCertificate("APP_CERT", "APP_CERT_PASSWORD"),
            CertificateSource(EnvironmentCertificate("APP_CERT")),
            Declared("app"),
        ],
        ids=[
            "function",
            "class",
            "static method",
            "source around a function",
            "environment variable",
            "source around an environment variable",
            "class that says so",
        ],
    )
    def test_a_source_that_is_a_reference_or_names_only_is_pickled(self, kind: type, source: object) -> None:
        credential = kind("contoso.example", "client", source)

        copied = pickle.loads(pickle.dumps(credential))  # noqa: S301 - our own

        assert without_address(copied) == without_address(credential)

    def test_a_proxys_password_is_not_pickled(self, kind: type) -> None:
        proxies = {"https": "http://me:secret@proxy.example:3128"}

        credential = kind("contoso.example", "client", importable_source, proxies=proxies)

        with pytest.raises(TypeError, match="proxies"):
            pickle.dumps(credential)
        assert "secret" not in repr(credential._parts)
