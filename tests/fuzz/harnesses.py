"""What a fuzzer feeds, and what may come of it: a value, or one of the errors that the function documents.

Each harness takes octets; anything else that is raised, or a bound that is passed, ends the run.
"""

from __future__ import annotations

import time
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential._core.authority_url import parse_authority, parse_issuer
from azure_certvar_credential._core.exchange import Response, read
from azure_certvar_credential._core.refusals import MAX_RETRY_AFTER, read_retry_after
from azure_certvar_credential._core.request import token_request
from azure_certvar_credential._core.user_assertion import user_assertion
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateError,
    ConfigurationError,
    UserAssertionRejectedError,
)
from tests.certificates import making, raw
from tests.certificates.pfx_parts import (
    PBE_3DES,
    PBE_RC4,
    PBES2,
    certificate_bag,
    key_bag,
    mac_of,
    pbe,
    pbes2,
    pbmac1_of,
    pfx_of,
    plain,
    sealed,
    shrouded,
    with_mac,
)

NOW = 1_800_000_000.0
_PASSWORD = "p"
# No input may take longer, password work within the documented budget included.
_SECONDS = 10.0


def load(data: bytes) -> None:
    """Load octets, and the text that they are, as a certificate."""
    began = time.perf_counter()
    for form in (data, data.decode("latin-1")):
        # Of times that are over and serial numbers below zero.
        with suppress(CertificateError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ClientCertificate.load(form, _PASSWORD)
    assert time.perf_counter() - began < _SECONDS


@cache
def _parts() -> list[Callable[[int], bytes]]:
    """What a PFX is put together from; each takes a small number, of iterations where it has any."""
    key, other = making.ec_key(1), making.ec_key(2)
    leaf = certificate_bag(making.self_signed("leaf", key))
    bags = [leaf, key_bag(key), key_bag(other), key_bag(key, _PASSWORD.encode())]
    inside = raw.tlv(0x30, leaf + key_bag(key))
    return [
        *(lambda _, bag=bag: plain(bag) for bag in bags),
        lambda _: plain(*bags),
        lambda count: plain(shrouded(pbes2(count))),
        lambda count: plain(shrouded(pbe(count))),
        *(
            lambda count, scheme=scheme: sealed(inside, _PASSWORD, scheme, max(1, count))
            for scheme in (PBES2, PBE_3DES, PBE_RC4)
        ),
        lambda count: sealed(raw.tlv(0x30, shrouded(pbes2(1 << count))), _PASSWORD),
        lambda count: raw.integer(-(1 << count * 8)),
    ]


def pfx(data: bytes) -> None:
    """Put a PFX together: two octets a part and its number, one the MAC, one the wrapping; the rest changes octets."""
    parts, octets = _parts(), bytearray(data)
    contents = b""
    for _ in range((octets.pop() & 3) + 1 if octets else 1):
        if len(octets) >= 2:
            contents += parts[octets.pop() % len(parts)](octets.pop() & 31)
    choice = octets.pop() if octets else 0
    macs = (b"", mac_of(None), mac_of(choice), pbmac1_of(choice))
    made = with_mac(raw.tlv(0x30, contents), _PASSWORD) if choice & 1 else pfx_of(contents, mac=macs[choice >> 1 & 3])
    if octets and octets.pop() & 1:
        made = raw.indefinite(made, choice & 7)
    changed = bytearray(made)
    for place, value in zip(octets[::2], octets[1::2], strict=False):
        changed[place * len(changed) // 256] = value
    load(bytes(changed))


def responses(data: bytes) -> None:
    """Read octets as a token response: two of them are the status, up to a NUL a header, the rest the body."""
    status = 100 + int.from_bytes(data[:2], "big") % 500 if data[:1] != b"{" else 200
    header, _, body = data[2:].partition(b"\0") if data[:1] != b"{" else (b"", b"", data)
    text = header.decode("latin-1")
    response = Response(status, {"retry-after": text, "content-type": text}, body)
    for for_user in (False, True):
        error = token = None
        try:
            token = read(response, now=NOW, about=lambda: "certificate", for_user=for_user)
        except AuthenticationError as refusal:
            error = refusal
        assert error is None or len(str(error)) < 10_000
        assert error is None or error.retry_after is None or 0 <= error.retry_after <= MAX_RETRY_AFTER
        assert token is None or (token.access_token.isascii() and token.expires_in > 0)


def dates(data: bytes) -> None:
    """Read a Retry-After."""
    seconds = read_retry_after(data.decode("latin-1"), now=NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER


def user_assertions(data: bytes) -> None:
    """Check a user's token: as it is, and as the claims of one."""
    payload = urlsafe_b64encode(data).decode().rstrip("=")
    for text in (data.decode("latin-1"), f"e30.{payload}.c2ln"):
        with suppress(UserAssertionRejectedError):
            made = user_assertion(text, now=NOW)
            assert len(made.digest) == 44


def authorities(data: bytes) -> None:
    """Read an authority and an issuer; what is taken goes to a host over TLS, and to no other than it names."""
    text = data.decode("utf-8", "replace")
    for parse in (
        partial(parse_authority, text, tenant_id="common", trusted_kinds=()),
        partial(parse_issuer, text, tenant_id="a"),
    ):
        with suppress(ConfigurationError):
            base = parse().base
            assert base.startswith("https://")
            assert not set(base) & set("@\\ \t\r\n#?")


def claims(data: bytes) -> None:
    """Read a claims challenge, and merge CAE's capability into it."""
    text = data.decode("utf-8", "surrogatepass") if _decodes(data) else data.decode("latin-1")
    with suppress(ConfigurationError):
        request = token_request(("s/.default",), tenant_id="t", enable_cae=True, claims=text)
        assert request.claims_parameter


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _load_seeds() -> list[bytes]:
    key = making.ec_key(1)
    leaf = making.self_signed("leaf", key)
    der = leaf.public_bytes(Encoding.DER) + making.key_bytes(key, Encoding.DER)
    return [
        making.key_bytes(key) + making.pem(leaf),
        der,
        pkcs12.serialize_key_and_certificates(None, key, leaf, None, NoEncryption()),
    ]


# Each with what a run begins with.
HARNESSES: dict[str, tuple[Callable[[bytes], None], Callable[[], Sequence[bytes]]]] = {
    "load": (load, _load_seeds),
    "pfx": (pfx, lambda: [bytes(range(n, n + 8)) for n in range(0, 64, 4)]),
    "responses": (
        responses,
        lambda: [
            b'{"token_type":"Bearer","expires_in":3600,"access_token":"a.b.c"}',
            b'\x01\x2c60\0{"error":"x","error_description":"AADSTS700027: no","error_codes":[700027]}',
        ],
    ),
    "dates": (dates, lambda: [b"60", b"Wed, 21 Oct 2015 07:28:00 GMT", b"Wednesday, 21-Oct-15 07:28:00 GMT"]),
    "user_assertions": (user_assertions, lambda: [b"e30.e30.c2ln", b'{"exp":1800000100}']),
    "authorities": (
        authorities,
        lambda: [
            b"https://login.microsoftonline.com/common",
            b"contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1A_app",
            b"https://[::1]:8443/adfs",
        ],
    ),
    "claims": (claims, lambda: [b'{"access_token":{"nbf":{"essential":true,"value":"1"}}}']),
}
