"""Certificates out of file descriptors, environment variables and callables."""

from __future__ import annotations

import functools
import os
import pickle
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from azure_certvar_credential import (
    CertificateSource,
    ClientCertificate,
    DescriptorCertificate,
    EnvironmentCertificate,
)
from azure_certvar_credential.exceptions import CertificateFormatError, CertificateSourceError, ConfigurationError
from tests.reprs import without_address


@pytest.fixture(scope="module")
def certificate() -> ClientCertificate:
    return ClientCertificate.self_signed("descriptor")


@pytest.fixture
def memory() -> Iterator[int]:
    """A descriptor that can be rewound."""
    with tempfile.TemporaryFile() as file:
        yield file.fileno()


def test_what_can_be_rewound_is_read_anew(memory: int, certificate: ClientCertificate) -> None:
    os.write(memory, certificate.to_pem("secret").encode())
    source = DescriptorCertificate(memory, password="secret")
    assert source() == certificate

    other = ClientCertificate.self_signed("other")
    os.ftruncate(memory, 0)
    os.pwrite(memory, other.to_pfx("secret"), 0)

    assert source() == other


def test_a_pipe_is_read_once_to_its_end(certificate: ClientCertificate) -> None:
    reading, writing = os.pipe()
    source = DescriptorCertificate(reading)
    os.write(writing, certificate.to_pem().encode())
    os.close(writing)
    try:
        assert source() == certificate
        assert source() is source()
    finally:
        os.close(reading)


def test_standard_input_is_the_descriptor_of_choice(certificate: ClientCertificate) -> None:
    program = "from azure_certvar_credential import DescriptorCertificate; print(DescriptorCertificate()().thumbprint)"

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        input=certificate.to_pem(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (done.stdout.strip(), done.stderr) == (certificate.thumbprint, "")


def test_a_descriptor_that_is_not_open_is_named() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    with pytest.raises(CertificateSourceError, match=f"file descriptor {reading} cannot be read"):
        DescriptorCertificate(reading)()


def test_a_descriptor_without_an_end_is_bounded(memory: int) -> None:
    os.write(memory, b"A" * (2 << 20))
    with pytest.raises(CertificateFormatError, match="more than 1,048,576 bytes"):
        DescriptorCertificate(memory)()


@pytest.mark.parametrize("descriptor", [-1, "0", True, None, 1.0])
def test_a_descriptor_is_a_number(descriptor: int) -> None:
    with pytest.raises(ConfigurationError, match="file descriptor"):
        DescriptorCertificate(descriptor)


def test_a_descriptor_is_not_pickled_and_an_environment_variable_is() -> None:
    with pytest.raises(TypeError, match="descriptor"):
        pickle.dumps(DescriptorCertificate())
    assert pickle.loads(pickle.dumps(EnvironmentCertificate("APP", "PW"))).password_name == "PW"  # noqa: S301


def importable() -> str:
    return "PEM"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("read", [importable, EnvironmentCertificate("APP"), CertificateSource(importable)])
def test_a_source_around_a_reference_is_pickled(read: Any, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(CertificateSource(read, max_age=60), protocol))  # noqa: S301

    assert (again.max_age, without_address(again)) == (60, without_address(CertificateSource(read)))


class Carrier:
    """A callable that holds what it returns."""

    def __init__(self, pem: str) -> None:
        self.pem = pem

    def __call__(self) -> str:
        return self.pem

    def method(self) -> str:
        return self.pem


SECRET_SOURCES: dict[str, Callable[[str], CertificateSource[Any]]] = {
    "partial": lambda pem: CertificateSource(functools.partial(str, pem)),
    "instance": lambda pem: CertificateSource(Carrier(pem)),
    "bound method": lambda pem: CertificateSource(Carrier(pem).method),
    "lambda": lambda pem: CertificateSource(lambda: pem),
    "source around a partial": lambda pem: CertificateSource(CertificateSource(functools.partial(str, pem))),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("source", SECRET_SOURCES)
def test_a_source_around_what_may_hold_the_key_is_not_pickled(source: str, protocol: int) -> None:
    with pytest.raises(TypeError, match="a CertificateSource can be pickled only with an importable function"):
        pickle.dumps(SECRET_SOURCES[source]("-----BEGIN PRIVATE KEY-----"), protocol)


@pytest.mark.parametrize("kind", [CertificateSource, EnvironmentCertificate, DescriptorCertificate])
def test_a_source_that_was_never_finished_shows_its_class_name(kind: Any) -> None:
    # Error reporters show the variables of the frame in which a constructor failed.
    assert repr(kind.__new__(kind)) == f"<{kind.__name__}>"


@pytest.mark.parametrize("max_age", [0, -1, True, "60", float("nan"), float("inf")])
def test_an_age_is_a_positive_number_of_seconds(max_age: float) -> None:
    with pytest.raises(ConfigurationError, match="max_age"):
        CertificateSource(lambda: b"", max_age=max_age)


def test_a_source_is_callable() -> None:
    with pytest.raises(ConfigurationError, match="callable"):
        CertificateSource("pem")  # type: ignore[arg-type]


def test_no_source_shows_what_it_reads(certificate: ClientCertificate) -> None:
    texts = [
        without_address(CertificateSource(certificate.to_pem)),
        without_address(EnvironmentCertificate("APP", "PW")),
        without_address(DescriptorCertificate(0, password="hidden")),
    ]
    assert texts == [
        "<CertificateSource(ClientCertificate.to_pem)>",
        "<EnvironmentCertificate('APP')>",
        "<DescriptorCertificate(0)>",
    ]
