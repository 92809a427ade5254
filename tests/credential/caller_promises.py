"""Promises about uploaded keys and presented users' tokens; each check takes one credential's scene."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import (
    CertificateError,
    UserAssertionRejectedError,
)
from tests.certificates.bad_keys import pbkdf2_key
from tests.credential.columns import PASSWORD, Scene


async def a_costly_key_is_refused(scene: Scene) -> None:
    """A key derivation that would take hours is not begun."""
    began = time.perf_counter()
    with pytest.raises(CertificateError, match="iterations"):
        scene.driver((scene.world.certificate.leaf, pbkdf2_key(2**31 - 1)), password=PASSWORD)
    assert time.perf_counter() - began < 1


async def a_key_that_does_not_fit_is_refused(scene: Scene) -> None:
    """The certificate of one key and the key of another are no pair."""
    other = ClientCertificate.self_signed("other").to_pem()
    key = other.partition("-----BEGIN CERTIFICATE")[0]
    with pytest.raises(CertificateError, match="key"):
        scene.driver(key + scene.world.certificate.leaf.public_bytes(Encoding.PEM).decode())


async def users_are_kept_apart(scene: Scene) -> None:
    """One user's token is served to nobody else, nor as the application's."""
    parent = scene.world.driver()
    adele, megan = scene.user("Adele Vance"), scene.user("Megan Bowen")
    tokens = [await parent.for_user(user).get_token(scene.scope) for user in (adele, megan, adele)]
    assert tokens[0] is tokens[2]
    assert len({one.token for one in tokens}) == scene.world.requests == 2


async def an_expired_user_gets_nothing(scene: Scene) -> None:
    """Five minutes are allowed for clocks that differ."""
    parent, user = scene.world.driver(), scene.user(lifetime=600)
    acquired = await parent.for_user(user).get_token(scene.scope)
    scene.world.clock.advance(600 + 299)
    assert await parent.for_user(user).get_token(scene.scope) is acquired
    scene.world.clock.advance(2)
    with pytest.raises(UserAssertionRejectedError):
        await parent.for_user(user).get_token(scene.scope)


async def what_was_made_in_time_goes_on(scene: Scene) -> None:
    """With the cache first, and then with the refresh token."""
    driver = scene.world.driver().for_user(scene.user(lifetime=600))
    acquired = await driver.get_token(scene.scope)
    scene.world.clock.advance(1000)
    assert await driver.get_token(scene.scope) is acquired
    scene.world.clock.advance(2600)
    assert (await driver.get_token(scene.scope)).token != acquired.token
    assert scene.world.entra.requests[-1].form["grant_type"] == "refresh_token"
