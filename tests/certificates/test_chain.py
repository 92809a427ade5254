"""A chain is ordered by issuer and signature, whatever stands in the file."""

from __future__ import annotations

import itertools
import logging
from datetime import timedelta

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.certificates.chain import order_chain
from tests.certificates import making
from tests.certificates.making import NOW, YEAR, ec_key, issue, self_signed

LOGGER = "azure_certvar_credential.certificates.chain"

ROOT = self_signed("root", ec_key(1))
UPPER = issue("upper", ec_key(2).public_key(), "root", ec_key(1))
LOWER = issue("lower", ec_key(4).public_key(), "upper", ec_key(2))
LEAF = issue("leaf", making.rsa_key().public_key(), "lower", ec_key(4))


@pytest.mark.parametrize("order", list(itertools.permutations((ROOT, UPPER, LOWER, LEAF))))
def test_any_order_of_the_file_gives_one_chain(order: tuple[x509.Certificate, ...]) -> None:
    assert order_chain(LEAF, order) == (LOWER, UPPER, ROOT)


def test_duplicates_count_once() -> None:
    assert order_chain(LEAF, [ROOT, LOWER, ROOT, LOWER, UPPER, LEAF]) == (LOWER, UPPER, ROOT)


def test_a_missing_link_ends_the_chain(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, LOGGER):
        assert order_chain(LEAF, [ROOT, LOWER]) == (LOWER,)

    assert "'CN=root'" in caplog.text


def test_a_leaf_alone_has_no_chain() -> None:
    assert order_chain(LEAF, []) == ()
    assert order_chain(LEAF, [LEAF]) == ()


def test_a_self_signed_leaf_takes_nothing_above_it(caplog: pytest.LogCaptureFixture) -> None:
    own = self_signed("own", making.rsa_key())

    with caplog.at_level(logging.WARNING, LOGGER):
        assert order_chain(own, [ROOT]) == ()

    assert "left out of the chain of 'CN=own'" in caplog.text


def test_a_stranger_is_dropped_with_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    stranger = self_signed("stranger", ec_key(5))

    with caplog.at_level(logging.WARNING, LOGGER):
        assert order_chain(LEAF, [stranger, ROOT, UPPER, LOWER]) == (LOWER, UPPER, ROOT)

    assert [record.name for record in caplog.records] == [LOGGER]
    assert "'CN=stranger' (thumbprint " in caplog.text


def test_the_name_of_an_issuer_with_another_key_is_a_stranger(caplog: pytest.LogCaptureFixture) -> None:
    # The generation of an authority before or after the one that signed.
    generation = issue("lower", ec_key(5).public_key(), "upper", ec_key(2))

    with caplog.at_level(logging.WARNING, LOGGER):
        assert order_chain(LEAF, [generation, ROOT, UPPER, LOWER]) == (LOWER, UPPER, ROOT)

    assert making.thumbprint(generation) in caplog.text
    assert making.thumbprint(LOWER) not in caplog.text


def test_what_is_there_issued_anew_or_cross_signed_is_no_stranger(caplog: pytest.LogCaptureFixture) -> None:
    renewed = issue("lower", ec_key(4).public_key(), "upper", ec_key(2), ends=NOW + YEAR / 2)
    crossed = issue("root", ec_key(1).public_key(), "other root", ec_key(5))
    placeholder = self_signed("leaf", making.rsa_key())

    with caplog.at_level(logging.DEBUG, LOGGER):
        assert order_chain(LEAF, [renewed, crossed, placeholder, ROOT, UPPER, LOWER]) == (LOWER, UPPER, ROOT)

    assert not caplog.records


def test_no_stranger_no_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, LOGGER):
        order_chain(LEAF, [ROOT, UPPER, LOWER])

    assert not caplog.records


def test_the_issuer_s_name_alone_is_not_enough() -> None:
    impostor = issue("lower", ec_key(5).public_key(), "upper", ec_key(2))

    assert order_chain(LEAF, [impostor, ROOT, UPPER]) == ()
    assert order_chain(LEAF, [impostor, LOWER, ROOT, UPPER]) == (LOWER, UPPER, ROOT)


def test_an_issuer_whose_key_signs_nothing_is_a_stranger() -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    impostor = issue("lower", X25519PrivateKey.generate().public_key(), "upper", ec_key(2))

    assert order_chain(LEAF, [impostor]) == ()


def test_a_cross_signed_issuer_leads_to_the_root_that_is_there() -> None:
    other_root = self_signed("other root", ec_key(5))
    crossed = issue("root", ec_key(1).public_key(), "other root", ec_key(5), ends=NOW + 5 * YEAR)

    assert order_chain(LEAF, [crossed, other_root, ROOT, UPPER, LOWER]) == (LOWER, UPPER, ROOT)
    assert order_chain(LEAF, [crossed, other_root, UPPER, LOWER]) == (LOWER, UPPER, crossed, other_root)


def test_certificates_that_signed_each_other_make_no_cycle() -> None:
    one = issue("one", ec_key(1).public_key(), "two", ec_key(2))
    two = issue("two", ec_key(2).public_key(), "one", ec_key(1))
    leaf = issue("leaf", making.rsa_key().public_key(), "one", ec_key(1))

    assert order_chain(leaf, [two, one]) == (one, two)


def test_a_renewed_issuer_is_taken_before_an_expired_one(caplog: pytest.LogCaptureFixture) -> None:
    expired = issue("lower", ec_key(4).public_key(), "upper", ec_key(2), begins=NOW - YEAR, ends=NOW - timedelta(1))

    with caplog.at_level(logging.WARNING, LOGGER):
        assert order_chain(LEAF, [expired, LOWER, UPPER, ROOT]) == (LOWER, UPPER, ROOT)

    assert not caplog.records


def test_of_two_good_issuers_the_one_that_lasts_longer_is_taken() -> None:
    longer = issue("lower", ec_key(4).public_key(), "upper", ec_key(2), ends=NOW + 2 * YEAR)

    assert order_chain(LEAF, [LOWER, longer, UPPER, ROOT]) == (longer, UPPER, ROOT)


def test_an_expired_issuer_is_better_than_none_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    expired = issue("lower", ec_key(4).public_key(), "upper", ec_key(2), begins=NOW - YEAR, ends=NOW - timedelta(1))

    with caplog.at_level(logging.WARNING, LOGGER):
        assert order_chain(LEAF, [ROOT, expired, UPPER]) == (expired, UPPER, ROOT)

    assert "'CN=lower'" in caplog.text
    assert "outside its validity window" in caplog.text


def test_a_chain_has_a_bound() -> None:
    ring = [issue("same", ec_key(1).public_key(), "same", ec_key(2)) for _ in range(3)]
    links = [issue(f"link {n}", ec_key(1).public_key(), f"link {n + 1}", ec_key(1)) for n in range(20)]
    leaf = issue("leaf", making.rsa_key().public_key(), "link 0", ec_key(1))

    assert order_chain(leaf, [*ring, *links]) == tuple(links[:16])


@given(st.lists(st.sampled_from([ROOT, UPPER, LOWER, LEAF, self_signed("stranger", ec_key(5))])))
def test_each_certificate_of_a_chain_certifies_the_one_before(certificates: list[x509.Certificate]) -> None:
    chain = order_chain(LEAF, certificates)

    for certificate, issuer in itertools.pairwise((LEAF, *chain)):
        certificate.verify_directly_issued_by(issuer)
    assert len(set(chain)) == len(chain)
    assert set(chain) <= set(certificates)


def test_x5c_is_leaf_first_without_the_root() -> None:
    import base64

    certificate = ClientCertificate(LEAF, making.rsa_key(), [ROOT, UPPER, LOWER])

    decoded = [x509.load_der_x509_certificate(base64.b64decode(entry, validate=True)) for entry in certificate.x5c]
    assert decoded == [LEAF, LOWER, UPPER]
    assert certificate.chain == (LOWER, UPPER, ROOT)


def test_x5c_ends_with_the_root_when_asked() -> None:
    certificate = ClientCertificate(LEAF, making.rsa_key(), [ROOT, UPPER, LOWER], include_root=True)

    assert len(certificate.x5c) == 4


def test_x5c_keeps_an_intermediate_that_has_no_root_above_it() -> None:
    assert len(ClientCertificate(LEAF, making.rsa_key(), [UPPER, LOWER]).x5c) == 3


def test_x5c_of_a_self_signed_leaf_is_the_leaf() -> None:
    assert len(ClientCertificate(self_signed("own", making.rsa_key()), making.rsa_key()).x5c) == 1
