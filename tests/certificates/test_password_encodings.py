"""A password outside ASCII opens what it should, as text and as octets, in whatever encoding a tool used it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.certificates.pkcs12 import kdf_budget, mac_data, pbe
from azure_certvar_credential.exceptions import CertificateError, WrongPasswordError
from tests.certificates import making
from tests.certificates.kit import PASSWORD
from tests.certificates.secrecy import assert_tells_nothing, secrets_of

if TYPE_CHECKING:
    from tests.certificates.kit import Kit

OUTSIDE = "geheïm-ü-phrase"

PFX = {
    "AES-256": (),
    "AES-256, no MAC": ("-nomac",),
    "3DES": ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"),
    "RC2": ("-legacy",),
}
KEYS = {
    "PBES2": ("pkcs8", "-topk8"),
    "PBES2, scrypt": ("pkcs8", "-topk8", "-scrypt"),
    "PKCS #12's 3DES": ("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"),
    "traditional": ("rsa", "-traditional", "-aes256"),
}


def made(kit: Kit, scheme: str, octets: bytes, *more: str) -> bytes:
    """What OpenSSL's command makes with a password of these octets, as a console or a file gives them."""
    path = Path(kit.directory, "password")
    path.write_bytes(octets)
    if scheme in PFX:
        inputs = ("-inkey", "key.pem", "-in", "leaf.pem", "-passout", f"file:{path}")
        return kit.openssl("pkcs12", "-export", *inputs, *PFX[scheme], *more)
    return kit.openssl(*KEYS[scheme], "-in", "key.pem", "-passout", f"file:{path}", *more) + kit.leaf_pem


@pytest.mark.parametrize(
    "given", [OUTSIDE, OUTSIDE.encode(), OUTSIDE.encode("latin-1")], ids=["str", "UTF-8", "Latin-1"]
)
@pytest.mark.parametrize("used", ["utf-8", "latin-1"])
@pytest.mark.parametrize("scheme", [*PFX, *KEYS])
def test_a_password_opens_in_either_encoding(kit: Kit, scheme: str, used: str, given: str | bytes) -> None:
    data = made(kit, scheme, OUTSIDE.encode(used))

    assert ClientCertificate.load(data, given).leaf == kit.leaf


@pytest.mark.parametrize("scheme", [*PFX, *KEYS])
def test_a_wrong_password_outside_ascii_is_told_which_encodings_were_tried(kit: Kit, scheme: str) -> None:
    with pytest.raises(WrongPasswordError, match="UTF-8 and Latin-1 were tried") as caught:
        ClientCertificate.load(made(kit, scheme, OUTSIDE.encode("cp850")), OUTSIDE)

    assert_tells_nothing(caught.value, secrets_of(OUTSIDE, OUTSIDE.encode("latin-1")))


@pytest.mark.parametrize("scheme", [*PFX, *KEYS])
@pytest.mark.parametrize("quote", ["'", '"', "`"])
def test_a_password_in_quotes_that_does_not_open_is_told_so(kit: Kit, scheme: str, quote: str) -> None:
    with pytest.raises(WrongPasswordError, match="password is in quotes"):
        ClientCertificate.load(made(kit, scheme, PASSWORD.encode()), f"{quote}{PASSWORD}{quote}")


def test_a_password_of_quotes_opens_what_has_it(kit: Kit) -> None:
    quoted = f'"{PASSWORD}"'

    assert ClientCertificate.load(made(kit, "PBES2", quoted.encode()), quoted).leaf == kit.leaf


@pytest.mark.parametrize("scheme", ["AES-256", "AES-256, no MAC", "PBES2"])
def test_the_iterations_for_all_encodings_stay_within_the_budget(
    kit: Kit, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived: list[int] = []
    decrypt, compute = pbe.decrypt, mac_data.compute

    def counted(*arguments: object) -> bytes:
        derived.append(1_600_000)
        return decrypt(*arguments)  # type: ignore[arg-type]

    def computed(*arguments: object) -> bytes:
        derived.append(1_600_000)
        return compute(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pbe, "decrypt", counted)
    monkeypatch.setattr(mac_data, "compute", computed)
    data = made(kit, scheme, OUTSIDE.encode("latin-1"), "-iter", "1600000")

    with pytest.raises(CertificateError, match="UTF-8 and Latin-1 were tried, as far as the limit"):
        ClientCertificate.load(data, "anöther " + making.NOW.isoformat())

    assert 0 < sum(derived) <= kdf_budget.MAX_ITERATIONS
