"""What stands for a certificate instead of being one is named, and never called damaged or cut off."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential.certificates import ClientCertificate, standins
from azure_certvar_credential.exceptions import CertificateError
from tests.certificates import making
from tests.certificates.forms import enveloped
from tests.certificates.test_fuzz import BINARIES, EC_LEAF, PEM

KEY = making.ec_key(3)
KEY_PEM, LEAF_PEM = making.key_bytes(KEY), making.pem(EC_LEAF)
THUMBPRINT = making.thumbprint(EC_LEAF)
IN_PAIRS = " ".join(THUMBPRINT[start : start + 2] for start in range(0, 40, 2)).lower()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


STANDINS: dict[str, list[Any]] = {
    "thumbprint": [
        THUMBPRINT,
        f"\u200e{IN_PAIRS}",
        f'"{THUMBPRINT.lower()}"',
        IN_PAIRS.replace(" ", ":"),
        "AB" * 32,
        f"Cert:\\CurrentUser\\My\\{THUMBPRINT}",
        f"cert:/LocalMachine/My/{THUMBPRINT}",
        f"LocalMachine/My/{THUMBPRINT}",
        f"sha1:{THUMBPRINT}",
        f"SHA1 Fingerprint={IN_PAIRS.upper().replace(' ', ':')}",
        f"Thumbprint: {THUMBPRINT}",
        "x5t:ASNFZ4mrze8BI0VniavN7wEjRWc",
    ],
    "subject": ["CN=app", "CN=app, O=Contoso", "O = Contoso, CN = app", "/C=DE/CN=app"],
    "GUID": ["01234567-89ab-cdef-0123-456789abcdef", "{01234567-89AB-CDEF-0123-456789ABCDEF}"],
    "client secret": ["abc8Q~abcdefghijklmnopqrstuvwxyz01234567"],
    "abridged": ["MIIJ...", "MIIJaQIBAzCC\u2026AgIIAA==", "MIIJaQIBAzCC...snip...AgIIAA=="],
    "flag or a number": ["true", "False", "1"],
    "placeholder": [
        *("$(APP_CERT)", "${APP_CERT}", "$APP_CERT", "$env:APP_CERT", "${{ secrets.APP_CERT }}", "%APP_CERT%"),
        *("#{APP_CERT}#", "#{APP_CERT}", "{#APP_CERT#}", "{{ .Values.cert }}", "{{cert}}", "{% cert %}", "<%= cert %>"),
        *(
            "<CERTIFICATE>",
            "<your certificate here>",
            "__CERT__",
            "@@CERT@@",
            "{0}",
            "%(cert)s",
            "your-certificate-here",
        ),
        *(
            "$[variables.cert]",
            "${env:CERT}",
            "$(cat cert.pem)",
            "$(<cert.pem)",
            "$CERT$",
            "%%CERT%%",
        ),
        *(
            "var.certificate",
            "data.azurerm_key_vault_secret.app.value",
            'filebase64("cert.pfx")',
            "(known after apply)",
        ),
        *("!Ref Cert", "!Sub ${Cert}", "<%cert%>", "\u00abcert\u00bb", "TBD", "dummy", "example"),
    ],
    "masked": [
        "***",
        "********",
        "\u2022\u2022\u2022\u2022",
        "[REDACTED]",
        "<redacted>",
        "(sensitive value)",
        "xxxxxxxx",
        "***MASKED***",
        "*** (secret)",
        "Secret(****)",
        "-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n[REDACTED]\n-----END PRIVATE KEY-----\n",
    ],
    "content of PEM block 1 .* is a placeholder": [
        "-----BEGIN PRIVATE KEY-----\n<your key>\n-----END PRIVATE KEY-----"
    ],
    "content of PEM block 1 .* is abridged": [
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA...\n-----END RSA PRIVATE KEY-----"
    ],
    "hash of a password": ["$2b$12$abcdefghijklmnopqrstuv"],
    "unresolved Key Vault reference": ["@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/a)"],
    "reference to a secret": [
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-x1",
        "op://vault/app/cert",
        "projects/p/secrets/cert/versions/1",
        "secretref:cert",
    ],
    "Key Vault identifier": [
        "https://v.vault.azure.net/secrets/a/0123",
        "https://v.vault.azure.net:443/certificates/a",
    ],
    "still encrypted": [
        "ENC[AES256_GCM,data:abc=,iv:x=,tag:y=,type:str]",
        "$ANSIBLE_VAULT;1.1;AES256\n33363062",
        "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n",
        "age-encryption.org/v1\n-> X25519 abc\n",
        "-----BEGIN PGP MESSAGE-----\n\nhQEM\n=abcd\n-----END PGP MESSAGE-----\n",
        "01000000d08c9ddf0115d1118c7a00c04fc297eb" + "0" * 500,
        "AQAAANCMnd8BFdERjHoAwE" + "A" * 500,
        "vault:v1:" + "A" * 500,
        "ENC(abcd==)",
        "{cipher}0123abcd",
        "CfDJ8" + "A" * 100,
        "CiQA" + "A" * 100,
        b64(b"Salted__" + bytes(300)),
        b"Salted__" + bytes(300),
    ],
    "Java key store": [
        bytes.fromhex("feedfeed00000002") + bytes(200),
        b64(bytes.fromhex("feedfeed00000002") + bytes(200)),
    ],
    "Bouncy Castle": [bytes.fromhex("0000000200000014") + bytes(200)],
    "gzip": [gzip.compress(PEM), b64(gzip.compress(PEM)), gzip.compress(PEM).hex()],
    "PuTTY": ["PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n"],
    "public key of SSH": ["ssh-rsa AAAAB3NzaC1yc2E user@host"],
    "JSON Web Key": ['{"kty":"RSA","n":"abc"}', '{ "keys": []}'],
    "token or TPM": ["pkcs11:token=a;object=b", "handle:0x81000001", "0x81000001"],
    "object's type": ["System.Byte[]", "System.Security.SecureString", "[object Object]", "[B@1b6d3586"],
    "word for nothing": ["None", "null", "undefined", "<nil>", "%!s(<nil>)", "N/A", "-", "[]", "{}"],
    "xxd -r": ["00000000: 3082 0a1b 0201 0330"],
    "Format-Hex": [
        "           00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F\r\n\r\n00000000   30 82 0A 1B",
        "   Label: String (System.String) <3B36A92D>\n\n          Offset Bytes   Ascii\n",
        "00000000   30 82 0A 1B 02 01 03 30",
    ],
    "file path": ["file:///etc/app.pem", "~/certs/app", "C:\\certs\\app.pfx"],
}
CASES = [
    pytest.param(means, standin, id=f"{means} {number}")
    for means, those in STANDINS.items()
    for number, standin in enumerate(those, 1)
]


@pytest.mark.parametrize(("means", "standin"), CASES)
def test_what_stands_for_a_certificate_is_named(means: str, standin: Any) -> None:
    with pytest.raises(CertificateError, match=means) as caught:
        ClientCertificate.load(standin)

    assert "damaged" not in str(caught.value)
    assert "cut off" not in str(caught.value)


# Keys of other systems in PEM, and what the message says.
FOREIGN_KEYS = {
    "OPENSSH PRIVATE KEY": "ssh-keygen -p -m PKCS8",
    "TSS2 PRIVATE KEY": "key in a TPM",
    "PKCS#11 PROVIDER URI": "PKCS #11 token",
    "PGP PRIVATE KEY BLOCK": "key of PGP",
    "ENCRYPTED COSIGN PRIVATE KEY": "key of cosign",
}


@pytest.mark.parametrize("label", FOREIGN_KEYS)
def test_a_key_of_another_system_is_named_and_does_no_harm_beside_a_good_one(label: str) -> None:
    foreign = enveloped(label, b"something else")

    with pytest.raises(CertificateError, match=FOREIGN_KEYS[label]) as caught:
        ClientCertificate.load(foreign + LEAF_PEM)

    assert "damaged" not in str(caught.value)
    assert ClientCertificate.load(foreign + PEM).leaf == EC_LEAF
    assert ClientCertificate.load(PEM + foreign).leaf == EC_LEAF


def commented(mark: str, pem: bytes) -> bytes:
    return "".join(f"{mark}{line}\n" for line in pem.decode().splitlines()).encode()


OTHER_KEY = making.key_bytes(making.ec_key(4))

HARMLESS = {
    **{
        f"a key commented out with {mark}": commented(mark, OTHER_KEY)
        for mark in ("# ", "#", "// ", "; ", "-- ", " * ")
    },
    "a sentence with BEGIN": b"Put the line -----BEGIN PRIVATE KEY----- here.\n",
    "a sentence with BEGIN and END": b"Between -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----, the key.\n",
    "PGP with its checksum": b"-----BEGIN PGP MESSAGE-----\nVersion: 1\n\nmQEN\n=abcd\n-----END PGP MESSAGE-----\n",
    "a foreign block cut off": b"-----BEGIN DH PARAMETERS-----\nMIIB\n",
    "a foreign block that is not base64": b"-----BEGIN X-----\n?\n-----END X-----\n",
}


@pytest.mark.parametrize("harmless", HARMLESS)
def test_comments_and_foreign_blocks_do_no_harm(harmless: str) -> None:
    assert ClientCertificate.load(HARMLESS[harmless] + PEM).leaf == EC_LEAF
    assert ClientCertificate.load(PEM + HARMLESS[harmless]).leaf == EC_LEAF
    assert ClientCertificate.load(KEY_PEM + HARMLESS[harmless] + LEAF_PEM).leaf == EC_LEAF


def test_a_key_that_is_commented_out_is_mentioned() -> None:
    with pytest.raises(CertificateError, match=r"no private key \(found but not used: PRIVATE KEY in a comment"):
        ClientCertificate.load(commented("# ", KEY_PEM) + LEAF_PEM)


def test_no_form_of_a_certificate_is_taken_for_a_stand_in() -> None:
    for data in (PEM, *BINARIES.values()):
        for form in (data, b64(data), data.hex(), b64(b64(data).encode()), base64.urlsafe_b64encode(data).decode()):
            assert standins.explain(form) is None


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_text_is_named_or_not_within_no_time(data: str | bytes) -> None:
    assert standins.explain(data) is None or str(standins.explain(data)).startswith("the certificate is ")
