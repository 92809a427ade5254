"""SoftHSM as a fixture: a PKCS #11 token in software, with keys that were made on it and do not leave it.

A test that takes ``softhsm`` is marked ``real`` by that. SoftHSM reads ``SOFTHSM2_CONF`` when it is initialised and is
one for the whole process, so there is one directory of tokens for each process, made before it is first loaded; keys
are made by another process, ``python -m tests.real.softhsm``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from azure_certvar_credential import Pkcs11Signer
from azure_certvar_credential.signers.keys import PublicKey
from tests.certificates import making

ROOT = Path(__file__).resolve().parents[2]
PIN = "471100"
SO_PIN = "081500"
_SECONDS = 60.0
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/*/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
# Label and id of each key on the token ORDERS.
ORDERS = "orders"
KEYS = {
    "app": 1,
    "P-256": 2,
    "P-384": 3,
    "P-521": 4,
    "bare": 7,
    "certified": 8,
    "for agreement": 9,
    "careful": 10,
    "secp256k1": 11,
    "Ed25519": 12,
    "lent": 13,
}
TWINS = (5, 6)
# A token of its own for what changes one; and two with one label.
SPARE = "spare"
TWICE = "twice"


@dataclass(frozen=True, slots=True)
class SoftHsm:
    """An installed SoftHSM with tokens of this run.

    :ivar module: path of its PKCS #11 module.
    :ivar tokens: the directory that holds a directory for each token.
    :ivar environment: variables for a process that shall see the same tokens.
    """

    module: str
    tokens: Path
    environment: dict[str, str]


@pytest.hookimpl(tryfirst=True)  # before -m selects by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that takes the token."""
    for item in items:
        if isinstance(item, pytest.Function) and "softhsm" in item.fixturenames:
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """Fresh tokens with keys; this process sees no others."""
    module = next((path for pattern in _MODULES for path in sorted(glob(pattern))), None)  # noqa: PTH207 - absolute
    tool = shutil.which("softhsm2-util")
    if module is None or tool is None:
        reason = "SoftHSM is missing (Debian: softhsm2): run tests/run as root, or install it"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (nothing is skipped in CI)", pytrace=False)
        pytest.skip(reason)
    directory = tmp_path_factory.mktemp("softhsm")
    tokens = directory / "tokens"
    tokens.mkdir()
    settings = directory / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {"SOFTHSM2_CONF": str(settings)}
    for label in (ORDERS, SPARE, TWICE, TWICE):
        _run([tool, "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", SO_PIN], environment)
    _run([sys.executable, "-m", "tests.real.softhsm", module], environment)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(settings))
        yield SoftHsm(module, tokens, environment)


def signer_of(softhsm: SoftHsm, **options: Any) -> Pkcs11Signer:
    """Return a signer over a key on the token ORDERS, with the right PIN, unless the options say otherwise."""
    return Pkcs11Signer(softhsm.module, **{"token_label": ORDERS, "pin": PIN, **options})


def certificate_for(public_key: PublicKey) -> x509.Certificate:
    """Have a local authority certify a key of the token."""
    return making.issue("app", public_key, "authority", making.ec_key())


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout}\n{done.stderr}")


def _make_keys(module: str) -> None:
    import pkcs11
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
    from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
    from pkcs11.util.ec import encode_named_curve_parameters
    from pkcs11.util.rsa import encode_rsa_public_key

    stays = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    library = pkcs11.lib(module)
    with library.get_token(token_label=ORDERS).open(rw=True, user_pin=PIN) as session:

        def make_ec(label: str, number: int, curve: str, **more: object) -> tuple[pkcs11.PublicKey, pkcs11.PrivateKey]:
            parameters = session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
            )
            template = stays | {Attribute[name]: value for name, value in more.items()}
            return parameters.generate_keypair(
                store=True,
                id=bytes([number]),
                label=label,
                capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
                private_template=template,
            )

        def certify(label: str, public_key: Any) -> None:
            certificate = making.issue(label, public_key, "authority", making.ec_key())
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.CERTIFICATE,
                    Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    Attribute.TOKEN: True,
                    Attribute.ID: bytes([KEYS[label]]),
                    Attribute.LABEL: label,
                    Attribute.SUBJECT: certificate.subject.public_bytes(),
                    Attribute.VALUE: certificate.public_bytes(Encoding.DER),
                }
            )

        session.generate_keypair(
            KeyType.RSA, 2048, store=True, id=bytes([KEYS["app"]]), label="app", private_template=stays
        )
        for label, curve in (("P-256", "secp256r1"), ("P-384", "secp384r1"), ("P-521", "secp521r1")):
            make_ec(label, KEYS[label], curve)
        for number in TWINS:
            make_ec("twin", number, "secp256r1")
        make_ec("for agreement", KEYS["for agreement"], "secp256r1", SIGN=False, DERIVE=True)
        make_ec("careful", KEYS["careful"], "secp256r1", ALWAYS_AUTHENTICATE=True)
        make_ec("secp256k1", KEYS["secp256k1"], "secp256k1")
        session.create_domain_parameters(
            KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: b"\x13\x0cedwards25519"}, local=True
        ).generate_keypair(
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
            store=True,
            id=bytes([KEYS["Ed25519"]]),
            label="Ed25519",
            private_template=stays,
        )
        make_ec("bare", KEYS["bare"], "secp256r1")[0].destroy()
        public, _ = make_ec("certified", KEYS["certified"], "secp256r1")
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes(public[Attribute.EC_POINT])[-65:])
        public.destroy()
        certify("certified", point)
        public, _ = session.generate_keypair(
            KeyType.RSA, 2048, store=True, id=bytes([KEYS["lent"]]), label="lent", private_template=stays
        )
        certify("lent", load_der_public_key(encode_rsa_public_key(public)))
    with library.get_token(token_label=SPARE).open(rw=True, user_pin=PIN) as session:
        session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
        ).generate_keypair(store=True, id=b"\x01", label="spare", private_template=stays)


if __name__ == "__main__":
    _make_keys(sys.argv[1])
