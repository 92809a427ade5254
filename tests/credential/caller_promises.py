"""Promises about uploaded keys and presented users' tokens; each check takes one credential's scene."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateError,
    UserAssertionRejectedError,
)
from tests.certificates.bad_keys import pbkdf2_key
from tests.certificates.pfx_parts import PBES2, certificate_bag, pbes2, pfx_of, plain, sealed, shrouded
from tests.certificates.raw import tlv
from tests.credential.columns import Scene
from tests.credential.test_frames import PASSWORD


async def a_costly_key_is_refused(scene: Scene) -> None:
    """A key derivation that would take hours is not begun, wherever its count stands."""
    leaf = certificate_bag(scene.world.certificate.leaf)
    costly = shrouded(pbes2(2**31 - 1))
    files = [
        (scene.world.certificate.leaf, pbkdf2_key(2**31 - 1)),
        pfx_of(plain(costly, leaf)),
        pfx_of(sealed(tlv(0x30, costly + leaf), PASSWORD, PBES2, 3)),
        pfx_of(plain(*[shrouded(pbes2(1_700_000))] * 3, leaf)),  # together too many
    ]
    for file in files:
        began = time.perf_counter()
        with pytest.raises(CertificateError, match=r"asks for [\d,]{9,} iterations"):
            scene.driver(file, password=PASSWORD)
        assert time.perf_counter() - began < 1


async def a_key_that_does_not_fit_is_refused(scene: Scene) -> None:
    """The certificate of one key and the key of another are no pair."""
    other = ClientCertificate.self_signed("other").to_pem()
    key = other.partition("-----BEGIN CERTIFICATE")[0]
    with pytest.raises(CertificateError, match="key"):
        scene.driver(key + scene.world.certificate.leaf.public_bytes(Encoding.PEM).decode())


async def users_are_kept_apart(scene: Scene) -> None:
    """One user's token is served to nobody else, nor as the application's."""
    parent = scene.acting()
    adele, megan = scene.user("Adele Vance"), scene.user("Megan Bowen")
    tokens = [await parent.for_user(user).get_token(scene.scope) for user in (adele, megan, adele)]
    assert tokens[0] is tokens[2]
    assert len({one.token for one in tokens}) == scene.world.requests - scene.legs == 2


async def an_expired_user_gets_nothing(scene: Scene) -> None:
    """Five minutes are allowed for clocks that differ."""
    parent, user = scene.acting(), scene.user(lifetime=600)
    acquired = await parent.for_user(user).get_token(scene.scope)
    scene.world.clock.advance(600 + 299)
    assert await parent.for_user(user).get_token(scene.scope) is acquired
    scene.world.clock.advance(2)
    for _ in range(2):
        with pytest.raises(UserAssertionRejectedError):
            await parent.for_user(user).get_token(scene.scope)
        with pytest.raises(AuthenticationError):
            await parent.for_user("without.an.end").get_token(scene.scope)
    assert scene.world.requests - scene.legs == 1 + 4


async def what_was_made_in_time_goes_on(scene: Scene) -> None:
    """With the cache first, and then with the refresh token."""
    driver = scene.acting().for_user(scene.user(lifetime=600))
    acquired = await driver.get_token(scene.scope)
    scene.world.clock.advance(1000)
    assert await driver.get_token(scene.scope) is acquired
    scene.world.clock.advance(2600)
    assert (await driver.get_token(scene.scope)).token != acquired.token
    assert scene.world.entra.requests[-1].form["grant_type"] == "refresh_token"
