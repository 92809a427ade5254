"""Subject name and issuer: a certificate that was never registered is trusted for its name and its authority."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from cryptography import x509

from azure_certvar_credential.testing import Response
from tests.testing.kit import DAY, World, b64url, certificate, der, ec_key, rsa_key, sha256, standard
from tests.testing.refusals import CLIENT, Answer, check

NAME = "app.contoso.com"
ROOT = certificate(rsa_key("root"), "Root", end=3650 * DAY)
INTERMEDIATE = certificate(rsa_key("ca"), "Intermediate", issuer=(ROOT, rsa_key("root")))
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


def test_without_rules_a_chain_helps_nobody(world: World) -> None:
    check(send(world, [LEAF, INTERMEDIATE]), (700027, *CLIENT), "The key was not found")


def test_the_key_of_the_chain_has_to_have_signed(world: World) -> None:
    other = sni(world, ROOT)
    header = {"x5t_s256": b64url(sha256(LEAF)), "x5c": [standard(der(LEAF)), standard(der(INTERMEDIATE))]}
    assertion = other.assertion(header, key=rsa_key("other"))
    check(other.post(other.form(client_assertion=assertion)), (700027, *CLIENT), "verify the signature failed")
