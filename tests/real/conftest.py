"""What the tests with a token share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from azure_certvar_credential import Pkcs11Signer
from tests.real.softhsm import SoftHsm, signer_of


@pytest.fixture
def signer(softhsm: SoftHsm) -> Iterator[Pkcs11Signer]:
    """A signer over the RSA key on the token."""
    with signer_of(softhsm, key_label="app") as signer:
        yield signer
