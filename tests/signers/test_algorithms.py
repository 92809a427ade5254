"""The table of algorithms is RFC 7518's."""

from __future__ import annotations

import pytest

from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.algorithms import ALGORITHMS, algorithm_named

# RFC 7518 section 3.1, sections 3.3 to 3.5.
CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
SCHEMES = {"RS": "PKCS1v15", "PS": "PSS", "ES": "ECDSA"}


def test_the_table_has_the_nine_asymmetric_algorithms() -> None:
    assert sorted(ALGORITHMS) == sorted(f"{family}{bits}" for family in SCHEMES for bits in (256, 384, 512))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_each_row_says_what_its_name_says(name: str) -> None:
    row = algorithm_named(name)

    assert row.name == name
    assert row.hash_bits == int(name[2:])
    assert row.scheme == SCHEMES[name[:2]]
    assert row.key_type == ("EC" if name.startswith("ES") else "RSA")
    assert row.curve == CURVES.get(name)


def test_an_unknown_name_is_answered_with_all_known_ones() -> None:
    with pytest.raises(ConfigurationError) as caught:
        algorithm_named("HS256")

    assert "'HS256'" in str(caught.value)
    assert all(name in str(caught.value) for name in ALGORITHMS)
