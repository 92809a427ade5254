"""Every form that a certificate can have in a variable is read, whatever it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from azure_certvar_credential.certificates import ClientCertificate
from tests.certificates import raw
from tests.certificates.forms import FORMS
from tests.certificates.kit import PASSWORD

if TYPE_CHECKING:
    from tests.certificates.kit import Kit

MESSAGE = b"header.payload"


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_its_leaf_and_a_key_that_signs_for_it(kit: Kit, form: str) -> None:
    made = FORMS[form](kit)

    certificate = ClientCertificate.load(made.data, made.password)

    assert certificate.leaf == (kit.ec_leaf if made.is_ec else kit.leaf)
    public_key = certificate.leaf.public_key()
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        raw = certificate.signer.sign(MESSAGE, "ES256")
        numbers = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        public_key.verify(encode_dss_signature(*numbers), MESSAGE, ec.ECDSA(hashes.SHA256()))
    else:
        raw = certificate.signer.sign(MESSAGE, "RS256")
        kit.key.public_key().verify(raw, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("form", [form for form in FORMS if "root first" in form or "with a chain" in form])
def test_the_chain_is_ordered_whatever_the_order_of_the_form(kit: Kit, form: str) -> None:
    made = FORMS[form](kit)

    chain = ClientCertificate.load(made.data, made.password).chain

    assert chain == (kit.intermediate, kit.root)[: len(chain)]
    assert chain


@pytest.mark.parametrize("form", ["pfx: cryptography, AES-256", "pfx: RC2-40", "pfx: BER outside"])
def test_a_pfx_keeps_its_chain(kit: Kit, form: str) -> None:
    made = FORMS[form](kit)

    assert ClientCertificate.load(made.data, made.password).chain == (kit.intermediate, kit.root)


def test_a_pfx_in_ber_throughout_is_read_as_openssl_reads_it(kit: Kit) -> None:
    # Without a MAC, which would be over the octets that are changed here.
    plain = kit.openssl_pfx("-nomac", "-keypbe", "NONE", "-certpbe", "NONE", password="")
    outer = raw.elements(raw.elements(plain)[0][1])
    content = raw.elements(raw.elements(raw.elements(outer[1][1])[1][1])[0][1])
    assert content[0][0] == 0x30
    safe = raw.indefinite(raw.tlv(*content[0]))
    data = raw.tlv(0x30, raw.oid("1.2.840.113549.1.7.1") + raw.tlv(0xA0, raw.tlv(4, safe)))
    pfx = raw.indefinite(raw.tlv(0x30, raw.integer(3) + data))
    assert kit.openssl("pkcs12", "-nodes", "-nomacver", "-passin", "pass:", stdin=pfx)

    assert ClientCertificate.load(pfx).leaf == kit.leaf


def test_a_ready_certificate_is_returned_as_it_is(kit: Kit) -> None:
    certificate = ClientCertificate(kit.leaf, kit.key)

    assert ClientCertificate.load(certificate, PASSWORD, include_root=True) is certificate


def test_the_root_is_sent_only_when_it_is_asked_for(kit: Kit) -> None:
    assert len(ClientCertificate.load(kit.pem).x5c) == 2
    assert len(ClientCertificate.load(kit.pem, include_root=True).x5c) == 3
