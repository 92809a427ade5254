"""Subject name and issuer: a certificate that was never registered is trusted for its name and its authority."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from azure_certvar_credential.testing import Response
from tests.testing.entra.refusals import CLIENT, Answer, check
from tests.testing.kit import DAY, NOW, World, b64url, certificate, der, ec_key, rsa_key, sha256, standard

NAME = "app.contoso.com"


def usage(*, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certifies,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certifies,
        crl_sign=certifies,
        encipher_only=False,
        decipher_only=False,
    )


SIGNS_CERTIFICATES, SIGNS_DOCUMENTS = usage(certifies=True), usage(certifies=False)
AUTHORITY = x509.BasicConstraints(ca=True, path_length=None)
END_ENTITY = x509.BasicConstraints(ca=False, path_length=None)


def middle(*extensions: x509.ExtensionType, issuer: x509.Certificate | None = None) -> x509.Certificate:
    """The certificate of the key 'ca' with these extensions, issued by the root's key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Intermediate")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if issuer is None else issuer.subject)
        .public_key(rsa_key("ca").public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(NOW - DAY, timezone.utc))
        .not_valid_after(datetime.fromtimestamp(NOW + 365 * DAY, timezone.utc))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(rsa_key("ca" if issuer is None else "root"), hashes.SHA256())


ROOT = certificate(rsa_key("root"), "Root", end=3650 * DAY)
INTERMEDIATE = middle(AUTHORITY, SIGNS_CERTIFICATES, issuer=ROOT)
LEAF = certificate(rsa_key(), NAME, issuer=(INTERMEDIATE, rsa_key("ca")))
NAMED_LEAF = certificate(rsa_key(), "anything", issuer=(INTERMEDIATE, rsa_key("ca")), dns=("x.contoso.com", NAME))
OTHER_NAME = certificate(rsa_key(), "other", issuer=(INTERMEDIATE, rsa_key("ca")))
OLD_LEAF = certificate(rsa_key(), NAME, issuer=(INTERMEDIATE, rsa_key("ca")), start=-2 * DAY, end=-DAY)
STRANGER = certificate(rsa_key("other"), "Intermediate")
ELLIPTIC_ROOT = certificate(ec_key(), "Root")


def sni(world: World, *authorities: x509.Certificate) -> World:
    rules = [(NAME.upper(), authority) for authority in authorities]
    return World(world.clock, world.entra, LEAF, world.entra.add_application(trusted_issuers=rules))


def send(world: World, chain: Sequence[x509.Certificate] | None, leaf: x509.Certificate | None = None) -> Response:
    header: dict[str, object] = {"x5t_s256": b64url(sha256(leaf or (chain[0] if chain else LEAF)))}
    if chain is not None:
        header["x5c"] = [standard(der(entry)) for entry in chain]
    return world.post(world.form(client_assertion=world.assertion(header)))


@pytest.mark.parametrize(
    "chain",
    [[LEAF, INTERMEDIATE, ROOT], [LEAF, INTERMEDIATE], [LEAF], [NAMED_LEAF, INTERMEDIATE]],
    ids=["with the root", "without the root", "the leaf alone", "the name among the DNS names"],
)
def test_a_chain_to_a_trusted_authority_is_accepted(world: World, chain: list[x509.Certificate]) -> None:
    # The leaf alone is enough where its own issuer is the trusted authority.
    response = send(sni(world, ROOT, INTERMEDIATE), chain)
    assert response.status == 200, response.body


@pytest.mark.parametrize(
    ("chain", "leaf", "answer", "text"),
    [
        (None, None, (700027, *CLIENT), "The key was not found"),
        ([INTERMEDIATE, LEAF], LEAF, (700029, *CLIENT), "not the one that the thumbprint names"),
        ([ROOT, INTERMEDIATE, LEAF], LEAF, (700029, *CLIENT), "not the one that the thumbprint names"),
        ([LEAF, ROOT, INTERMEDIATE], None, (700029, *CLIENT), "not certified by the one after it"),
        ([LEAF, ROOT], None, (700029, *CLIENT), "not certified by the one after it"),
        ([LEAF, STRANGER], None, (700029, *CLIENT), "not certified by the one after it"),
        ([LEAF], None, (700028, *CLIENT), "issuer's thumbprint '[0-9A-F]{40}' isn't authorized"),
        ([STRANGER], None, (700028, *CLIENT), "isn't authorized"),
        ([OTHER_NAME, INTERMEDIATE], None, (700030, *CLIENT), r"certificate are: other\."),
        ([OLD_LEAF, INTERMEDIATE], None, (1000502, *CLIENT), "validity period"),
    ],
    ids=[
        "no chain",
        "leaf last",
        "root first",
        "the middle last",
        "a gap",
        "a stranger",
        "no authority",
        "self-signed",
        "another name",
        "expired",
    ],
)
def test_a_chain_that_is_not_trusted_is_refused(
    world: World, chain: list[x509.Certificate] | None, leaf: x509.Certificate | None, answer: Answer, text: str
) -> None:
    check(send(sni(world, ROOT), chain, leaf), answer, text)


def test_an_authority_with_another_kind_of_key_has_certified_nothing(world: World) -> None:
    check(send(sni(world, ELLIPTIC_ROOT), [LEAF, INTERMEDIATE]), (700028, *CLIENT), "isn't authorized")


@pytest.mark.parametrize(
    ("extensions", "trusted"),
    [((AUTHORITY,), True), ((END_ENTITY,), False), ((), False), ((AUTHORITY, SIGNS_DOCUMENTS), False)],
    ids=["an authority without KeyUsage", "CA:FALSE", "no BasicConstraints", "no keyCertSign"],
)
def test_what_a_trusted_authority_has_certified_is_no_authority_by_that(
    world: World, extensions: tuple[x509.ExtensionType, ...], trusted: bool
) -> None:
    between = middle(*extensions, issuer=ROOT)
    for chain in ([LEAF, between, ROOT], [LEAF, between]):
        response = send(sni(world, ROOT), chain)
        if trusted:
            assert response.status == 200, response.body
        else:
            check(response, (700029, *CLIENT), "not certified by the one after it")


@pytest.mark.parametrize(
    ("extensions", "trusted"),
    [
        ((AUTHORITY, SIGNS_CERTIFICATES), True),
        ((), True),
        ((END_ENTITY,), False),
        ((AUTHORITY, SIGNS_DOCUMENTS), False),
    ],
    ids=["an authority", "no extensions", "CA:FALSE", "no keyCertSign"],
)
def test_what_the_certificate_of_a_trusted_authority_says_of_itself_counts(
    world: World, extensions: tuple[x509.ExtensionType, ...], trusted: bool
) -> None:
    authority = middle(*extensions)
    for chain, code in (([LEAF, authority], 700029), ([LEAF], 700028)):
        response = send(sni(world, authority), chain)
        if trusted:
            assert response.status == 200, response.body
        else:
            check(response, (code, *CLIENT), "not certified by the one after it" if code == 700029 else "authorized")


def test_without_rules_a_chain_helps_nobody(world: World) -> None:
    check(send(world, [LEAF, INTERMEDIATE]), (700027, *CLIENT), "The key was not found")


def test_the_key_of_the_chain_has_to_have_signed(world: World) -> None:
    other = sni(world, ROOT)
    header = {"x5t_s256": b64url(sha256(LEAF)), "x5c": [standard(der(LEAF)), standard(der(INTERMEDIATE))]}
    assertion = other.assertion(header, key=rsa_key("other"))
    check(other.post(other.form(client_assertion=assertion)), (700027, *CLIENT), "verify the signature failed")
