"""What .docs/peers.md says of other libraries with a "t" is so, with their newest versions that install."""

from __future__ import annotations

import asyncio
import base64
import pickle
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import azure.identity
import azure.identity.aio
import msal
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential._core.hints import HINTS
from azure_certvar_credential.exceptions import CertificateWarning, KeyMismatchError
from azure_certvar_credential.testing import Application, EntraEmulator, Fault
from tests.certificates.making import NOW, issue, key_bytes, pem, rsa_key, self_signed, thumbprint
from tests.docs.tables import GUIDES, ROOT, rows

SCOPE = "https://graph.microsoft.com/.default"
CALLERS = 50


class World:
    """The local Entra with one registered application, and the peers as its clients."""

    def __init__(self) -> None:
        root, leaf = rsa_key(0), rsa_key(1)
        issued = issue("leaf", leaf.public_key(), "root", root)
        self.pem = key_bytes(leaf) + pem(issued)
        self.root = self_signed("root", root)
        self.root_first = pem(self.root) + pem(issued) + key_bytes(leaf)
        self.misfit = key_bytes(rsa_key(2)) + pem(issued)
        self.expired = key_bytes(leaf) + pem(self_signed("old", leaf, ends=NOW - timedelta(days=1)))
        self.certificate = ClientCertificate.load(self.pem)
        self.entra = EntraEmulator()
        self.application: Application = self.entra.add_application(self.certificate)

    def sync(self, data: Any, **options: Any) -> azure.identity.CertificateCredential:
        return azure.identity.CertificateCredential(*self.ids, certificate_data=data, **self._to(options))

    def aio(self, data: Any, **options: Any) -> azure.identity.aio.CertificateCredential:
        options = {"transport": self.entra.async_transport(), **options}
        return azure.identity.aio.CertificateCredential(*self.ids, certificate_data=data, **self._to(options))

    def msal(self, credential: dict[str, Any]) -> Any:
        with self.entra.serve() as server, requests.Session() as session:
            session.trust_env = False  # the machine's authorities and proxies are no part of a test
            session.verify = server.ca_file
            return msal.ConfidentialClientApplication(
                self.application.client_id,
                authority=f"{server.url}/{self.application.tenant_id}",
                client_credential=credential,
                instance_discovery=False,
                http_client=session,
            ).acquire_token_for_client([SCOPE])

    def header(self, made: Callable[..., Any], data: bytes, **options: Any) -> dict[str, Any]:
        """Return the header of the assertion that a credential sends; whether it is accepted is another matter."""
        credential = made(data, **options)
        if asyncio.iscoroutine(asked := credential.get_token(SCOPE)):
            asyncio.run(_closed_after(credential, asked))
        return dict(self.entra.requests[-1].assertion_header or {})

    @property
    def ids(self) -> tuple[str, str]:
        """Tenant and client."""
        return self.application.tenant_id, self.application.client_id

    def _to(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"transport": self.entra.transport(), "disable_instance_discovery": True, **options}


async def _closed_after(credential: Any, asked: Any) -> None:
    await asked
    await credential.close()


def _refuses(made: Callable[[Any], Any], data: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        made(data)


def _key_and_thumbprint(world: World, key: str) -> dict[str, str]:
    return {"private_key": key, "thumbprint": world.certificate.thumbprint}


def _expects_the_thumbprint_beside_it(world: World) -> None:
    assert world.msal(_key_and_thumbprint(world, world.pem.decode()))["access_token"]
    with pytest.raises((KeyError, ValueError)):
        world.msal({"private_key": world.pem.decode()})


def _lets_the_server_find_out(world: World) -> None:
    assert 700027 in world.msal(_key_and_thumbprint(world, world.misfit.decode()))["error_codes"]


def _takes_a_pfx_by_its_path_alone(world: World) -> None:
    with pytest.raises((OSError, ValueError)):  # the bytes are no name of a file
        world.msal({"private_key_pfx_path": world.certificate.to_pfx(None)})


def _takes_the_first_certificate(world: World) -> None:
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        world.sync(world.root_first).get_token(SCOPE)
    header: Any = world.entra.requests[-1].assertion_header
    assert base64.urlsafe_b64decode(header["x5t"] + "==").hex().upper() == thumbprint(world.root)


def _sends_one_request_a_caller(world: World) -> None:
    world.entra.inject(Fault.hang(), times=None, when=lambda request: request.method == "POST")
    credential = world.sync(world.pem)
    with ThreadPoolExecutor(CALLERS) as threads:
        asked = [threads.submit(credential.get_token, SCOPE) for _ in range(CALLERS)]
        world.entra.wait_for_hanging(CALLERS, timeout=60)
        world.entra.release()
        assert all(each.result(timeout=60).token for each in asked)
    assert len(world.entra.requests) == CALLERS


def _gives_no_hint(world: World) -> None:
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027") as caught:
        world.sync(key_bytes(rsa_key(0)) + pem(self_signed("other", rsa_key(0)))).get_token(SCOPE)
    assert HINTS[700027] not in str(caught.value)


def _algorithm(world: World, made: Callable[..., Any], algorithm: str, thumbprint_name: str) -> None:
    header = world.header(made, world.pem)
    assert header["alg"] == algorithm
    assert thumbprint_name in header


BASE64 = "base64 of a PFX"
FITS, EXPIRED, CHAIN = "key and certificate that do not fit", "an expired certificate", "sends the chain (`x5c`)"
CHECKS: dict[tuple[str, str], Callable[[World], object]] = {
    ("PEM as `str`", "sync"): lambda w: _refuses(w.sync, w.pem.decode(), TypeError),
    ("PEM as `str`", "aio"): lambda w: _refuses(w.aio, w.pem.decode(), TypeError),
    ("PEM as `str`", "msal"): _expects_the_thumbprint_beside_it,
    ("PFX as bytes", "sync"): lambda w: w.sync(w.certificate.to_pfx(None)).get_token(SCOPE),
    ("PFX as bytes", "aio"): lambda w: w.aio(w.certificate.to_pfx(None)),
    ("PFX as bytes", "msal"): _takes_a_pfx_by_its_path_alone,
    (BASE64, "sync"): lambda w: _refuses(w.sync, base64.b64encode(w.certificate.to_pfx(None)), ValueError),
    (BASE64, "aio"): lambda w: _refuses(w.aio, base64.b64encode(w.certificate.to_pfx(None)), ValueError),
    ("finds the leaf in a file that begins with the root", "sync"): _takes_the_first_certificate,
    (FITS, "sync"): lambda w: w.sync(w.misfit),
    (FITS, "aio"): lambda w: w.aio(w.misfit),
    (FITS, "msal"): _lets_the_server_find_out,
    (EXPIRED, "sync"): lambda w: w.sync(w.expired),
    (EXPIRED, "aio"): lambda w: w.aio(w.expired),
    (CHAIN, "sync"): lambda w: _assert("x5c" in w.header(w.sync, w.pem, send_certificate_chain=True)),
    (CHAIN, "aio"): lambda w: _assert("x5c" not in w.header(w.aio, w.pem, send_certificate_chain=True)),
    ("algorithm, thumbprint", "sync"): lambda w: _algorithm(w, w.sync, "RS256", "x5t"),
    ("algorithm, thumbprint", "aio"): lambda w: _algorithm(w, w.aio, "PS256", "x5t#S256"),
    ("50 callers, no token: requests", "sync"): _sends_one_request_a_caller,
    ("a hint beside an AADSTS code", "sync"): _gives_no_hint,
}


def _assert(claim: bool) -> None:
    assert claim


def _ours(world: World, data: Any, **options: Any) -> CertVarCredential:
    return CertVarCredential(*world.ids, data, transport=world.entra.transport(), **options)


def _finds_the_leaf(world: World) -> None:
    assert _ours(world, world.root_first).get_token(SCOPE).token


def _notices_a_misfit(world: World) -> None:
    _refuses(partial(_ours, world), world.misfit, KeyMismatchError)


def _notices_expiry(world: World) -> None:
    with pytest.warns(CertificateWarning, match="expired"):
        _ours(world, world.expired)


def _shares_one_request(world: World) -> None:
    world.entra.inject(Fault.hang(), times=None)
    credential = _ours(world, world.pem)
    with ThreadPoolExecutor(CALLERS) as threads:
        asked = [threads.submit(credential.get_token, SCOPE) for _ in range(CALLERS)]
        world.entra.wait_for_hanging(1, timeout=60)
        world.entra.release()
        assert len({each.result(timeout=60).token for each in asked}) == 1
    assert len(world.entra.requests) == 1


def _has_a_hint(world: World) -> None:
    stranger = key_bytes(rsa_key(0)) + pem(self_signed("other", rsa_key(0)))
    with pytest.raises(ClientAuthenticationError, match=re.escape(HINTS[700027])):
        _ours(world, stranger).get_token(SCOPE)


def _refuses_to_travel(world: World) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(_ours(world, world.pem))


# Of this package: what it does in a few lines, or where the tests of it are.
OURS: dict[str, Callable[[World], object] | str] = {
    "PEM as `str`": lambda w: _ours(w, w.pem.decode()).get_token(SCOPE),
    "PFX as bytes": lambda w: _ours(w, w.certificate.to_pfx(None)).get_token(SCOPE),
    BASE64: lambda w: _ours(w, base64.b64encode(w.certificate.to_pfx(None))).get_token(SCOPE),
    "DER, `cryptography`'s objects": "tests/docs/test_inputs.py",
    "finds the leaf in a file that begins with the root": _finds_the_leaf,
    FITS: _notices_a_misfit,
    EXPIRED: _notices_expiry,
    CHAIN: lambda w: _assert("x5c" in w.header(partial(_ours, w), w.pem, send_certificate_chain=True)),
    "algorithm, thumbprint": lambda w: _algorithm(w, partial(_ours, w), "PS256", "x5t#S256"),
    "a key that cannot be exported": "tests/real/test_hsm.py",
    "a certificate that changes": "tests/keyvault/test_rotation_under_load.py",
    "50 callers, no token: requests": _shares_one_request,
    "Entra is down, the token valid for 58 minutes, a refresh due": "tests/credential/test_faults.py",
    "a hint beside an AADSTS code": _has_a_hint,
    "pickle": _refuses_to_travel,
    "a token cache for a fleet": "tests/fleet",
}


@pytest.mark.parametrize("what", OURS)
def test_a_claim_about_this_package_is_so(what: str) -> None:
    check = OURS[what]
    if isinstance(check, str):
        assert (ROOT / check).exists()
    else:
        check(World())


@pytest.mark.parametrize("claim", CHECKS, ids=lambda claim: re.sub(r"\W+", " ", " ".join(claim)).strip())
def test_a_claim_about_a_peer_is_so(claim: tuple[str, str]) -> None:
    CHECKS[claim](World())


def test_every_claim_is_tested_or_has_its_source() -> None:
    claimed, told = set(), []
    for what, ours, *peers in rows("# Beside other libraries", GUIDES / "peers.md"):
        assert ours.endswith(" (t)"), what
        told.append(what)
        for column, cell in zip(("sync", "aio", "msal"), peers, strict=True):
            assert cell == "\N{EN DASH}" or cell[-3:] in {"(t)", "(s)", "(r)"}, (what, column)
            if cell.endswith("(t)"):
                claimed.add((what, column))
    assert claimed == CHECKS.keys()
    assert told == list(OURS)
