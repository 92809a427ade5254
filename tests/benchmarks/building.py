"""Goals 3 to 5: building a credential, and one assertion."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import jwt
from azure.identity._internal.aad_client import AadClient
from azure.identity._internal.aadclient_certificate import AadClientCertificate
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import pkcs12
from msal.oauth2cli.assertion import JwtAssertionCreator

from azure_certvar_credential._core.client_authentication import assertion
from tests.benchmarks.bench import Bench
from tests.benchmarks.contestants import CLIENT, TENANT, WHO, Who, credential
from tests.benchmarks.figures import Figure, Goal, alternating, rounds, seconds

_AUDIENCE = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
_PASSWORD = "benchmark"


def from_pem(bench: Bench) -> Iterator[Figure]:
    """Goal 3: from RSA-2048 PEM; ours has proven then that key and certificate belong together."""

    def build(who: Who) -> Callable[[], float]:
        return lambda: seconds(lambda: credential(who))

    (ours, theirs, floor), spread = rounds(*map(build, WHO), repeat=20 if bench.quick else 60)
    yield Figure(3, "build from RSA-2048 PEM", ours * 1e3, theirs * 1e3, "ms", Goal(0.02), floor * 1e3, spread)


def from_pfx(bench: Bench) -> Iterator[Figure]:
    """Goal 4: from PFX; what is left is the derivation of its key from the password."""
    pfx = bench.certificate.to_pfx(_PASSWORD)

    def build(who: Who) -> Callable[[], float]:
        return lambda: seconds(lambda: credential(who, certificate_data=pfx, password=_PASSWORD))

    def read() -> float:
        return seconds(lambda: pkcs12.load_pkcs12(pfx, _PASSWORD.encode()))

    repeat = 10 if bench.quick else 40
    ours, theirs = alternating(build("ours"), build("theirs"), repeat)
    yield Figure(4, "build from PFX", ours * 1e3, theirs * 1e3, "ms", Goal(0.2))
    ours, raw = alternating(build("ours"), read, repeat)
    yield Figure(4, "build from PFX; theirs: cryptography reads it, once", ours * 1e3, raw * 1e3, "ms", Goal(1.5))


def one_assertion(bench: Bench) -> Iterator[Figure]:
    """Goal 5: PS256 with RSA-2048."""
    certificate = bench.certificate
    pem = certificate.to_pem()
    creator = JwtAssertionCreator(pem, "PS256", sha256_thumbprint=certificate.sha256_thumbprint)
    client: Any = AadClient(TENANT, CLIENT)
    loaded = AadClientCertificate(pem)
    key: Any = certificate.signer.private_key  # type: ignore[attr-defined]  # a MemorySigner has it
    message = b"x" * 600
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)

    def ours() -> str:
        signed = assertion.signing_input(
            assertion.encoded_header(certificate, "PS256"),
            client_id=CLIENT,
            audience=_AUDIENCE,
            issued_at=time.time(),
            jti=str(uuid.uuid4()),
        )
        return assertion.compact(signed, certificate.signer.sign(signed, "PS256"))

    def msal() -> str:
        made: bytes = creator.create_normal_assertion(_AUDIENCE, CLIENT)
        return made.decode()

    for made in (ours(), msal()):
        _check(made, certificate.leaf.public_key())
    times = alternating(lambda: seconds(ours), lambda: seconds(msal), 20 if bench.quick else 60)
    yield Figure(5, "one assertion, PS256; theirs: msal", times[0] * 1e3, times[1] * 1e3, "ms", Goal(0.01))

    def identity() -> object:
        return client._get_client_certificate_assertion(loaded)

    times = alternating(lambda: seconds(ours), lambda: seconds(identity), 100 if bench.quick else 400)
    what = "one assertion, PS256; theirs: azure-identity aio, key loaded"
    yield Figure(5, what, times[0] * 1e3, times[1] * 1e3, "ms", None)
    times = alternating(
        lambda: seconds(ours),
        lambda: seconds(lambda: key.sign(message, pss, hashes.SHA256())),
        200 if bench.quick else 1000,
    )
    what = "assertions a second; theirs: signatures alone"
    yield Figure(5, what, 1 / times[0], 1 / times[1], "/s", Goal(0.95, least=True))


def _check(made: str, public_key: Any) -> None:
    """Make sure that what is measured is an assertion."""
    claims = jwt.decode(made, public_key, ["PS256"], audience=_AUDIENCE)
    if claims["iss"] != CLIENT:
        raise ValueError(json.dumps(claims))
