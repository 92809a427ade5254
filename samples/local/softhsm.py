"""A PKCS #11 token in software, with a key that does not leave it."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import NameOID

from local.scene import Scene, say

TOKEN = "orders"  # noqa: S105 - the label of a PKCS #11 token
_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib")


def start(scene: Scene) -> dict[str, str]:
    """Make the token and its key, register a certificate for it, and return the variables that name them.

    :raises SystemExit: SoftHSM is not installed.
    """
    tool = shutil.which("softhsm2-util")
    module = next((path for folder in _FOLDERS for path in Path(folder).glob("**/libsofthsm2.so")), None)
    if tool is None or module is None:
        sys.exit("--local needs SoftHSM (Debian: softhsm2); pip has none")
    tokens, settings = scene.folder / "tokens", scene.folder / "softhsm2.conf"
    tokens.mkdir()
    settings.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    pin = str(secrets.randbelow(900_000) + 100_000)
    command = [tool, "--init-token", "--free", "--label", TOKEN, "--pin", pin, "--so-pin", pin]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the command is fixed
    leaf = _certify(_make_key(str(module), pin))
    scene.application.register(leaf)
    say("the HSM is SoftHSM; the key was made in it, and stays there")
    return {
        "APP_CERT_PUBLIC": leaf.public_bytes(Encoding.PEM).decode(),
        "PKCS11_MODULE": str(module),
        "PKCS11_TOKEN": TOKEN,
        "PKCS11_KEY": "app",
        "PKCS11_PIN": pin,
    }


def _make_key(module: str, pin: str) -> rsa.RSAPublicKey:
    import pkcs11
    from pkcs11.util.rsa import encode_rsa_public_key

    stays = {pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False}
    with pkcs11.lib(module).get_token(token_label=TOKEN).open(rw=True, user_pin=pin) as session:
        public, _ = session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, label="app", private_template=stays)
        key = load_der_public_key(encode_rsa_public_key(public))
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("SoftHSM made a key of another type")
    return key


def _certify(key: rsa.RSAPublicKey) -> x509.Certificate:
    """Return a certificate for the key, by an authority that is forgotten at once."""
    now = datetime.now(timezone.utc)
    subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("orders", "authority"))
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), now, now + timedelta(days=90))
    return builder.sign(rsa.generate_private_key(65537, 2048), hashes.SHA256())
