"""Of several certificates of one key the leaf is the one to send, whatever their order."""

from __future__ import annotations

import itertools
import logging
import warnings
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from azure_certvar_credential.certificates import ClientCertificate
from tests.certificates import making
from tests.certificates.making import NOW, YEAR, ec_key, issue, rsa_key, self_signed

KEY = rsa_key()
DAY = timedelta(days=1)


def issued(begins: int, ends: int, issuer: str = "authority", serial: int | None = None) -> x509.Certificate:
    """A certificate of the key, issued by somebody else and valid between two days from now."""
    days = {"begins": NOW + begins * DAY, "ends": NOW + ends * DAY}
    return issue("leaf", KEY.public_key(), issuer, ec_key(1), serial=serial, **days)


def placeholder(begins: int, ends: int) -> x509.Certificate:
    return self_signed("leaf", KEY, begins=NOW + begins * DAY, ends=NOW + ends * DAY)


AUTHORITY = self_signed("authority", ec_key(1))

# The first of each is the leaf.
CHOICES = {
    "valid before expired": [issued(-9, 9), issued(-99, -1)],
    "valid before not yet valid": [issued(-9, 9), issued(1, 99)],
    "valid and self-signed before issued and expired": [placeholder(-9, 9), issued(-99, -1)],
    "issued before a self-signed placeholder": [issued(-9, 9), placeholder(-9, 9)],
    "issued before a self-signed placeholder that lasts longer": [issued(-9, 9), placeholder(-9, 99)],
    "the one that lasts longest": [issued(-99, 99), issued(-9, 9), issued(-9, 98)],
    "the one that lasts longest, self-signed": [placeholder(-99, 99), placeholder(-9, 9)],
    "the one that began last": [issued(-9, 99), issued(-99, 99)],
    "the one that lasts longest, all expired": [placeholder(-99, -1), issued(-99, -2)],
    "issued, then by date": [issued(-9, 50), issued(-9, 9), placeholder(-9, 99), issued(-200, -100)],
}


@pytest.mark.parametrize("choice", CHOICES)
def test_the_choice_is_the_same_in_every_order(choice: str) -> None:
    expected, *others = CHOICES[choice]

    parts: list[Any] = [expected, *others, AUTHORITY, KEY]
    for order in itertools.permutations(parts):
        with warnings.catch_warnings():
            # Some of the leaves have expired.
            warnings.simplefilter("ignore")
            assert ClientCertificate.load(order).leaf == expected


def test_the_chain_is_that_of_the_leaf_in_every_order() -> None:
    leaf, *others = CHOICES["issued before a self-signed placeholder that lasts longer"]

    parts: list[Any] = [leaf, *others, AUTHORITY, KEY]
    for order in itertools.permutations(parts):
        assert ClientCertificate.load(order).chain == (AUTHORITY,)


def test_certificates_that_differ_in_nothing_that_counts_have_an_order_too() -> None:
    twins = [issued(-9, 99, serial=number) for number in (1, 2, 3)]

    leaves = {ClientCertificate.load((*order, KEY)).leaf for order in itertools.permutations(twins)}

    assert len(leaves) == 1


def test_the_same_certificate_twice_is_one(caplog: pytest.LogCaptureFixture) -> None:
    leaf = issued(-9, 9)

    with caplog.at_level(logging.INFO):
        assert ClientCertificate.load((leaf, KEY, making.pem(leaf))).leaf == leaf

    assert not caplog.records


def test_a_choice_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "azure_certvar_credential.certificates.material"):
        chosen = ClientCertificate.load((issued(-9, 9), issued(-9, 99), KEY))

    assert (
        f"several certificates match the private key; using 'CN=leaf' (thumbprint {chosen.thumbprint})" in caplog.text
    )
    assert chosen.not_after == NOW + 99 * DAY < NOW + YEAR
