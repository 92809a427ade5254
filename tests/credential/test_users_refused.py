"""What is wrong with a user's assertion is said in words for the user's client, and the assertion itself nowhere."""

from __future__ import annotations

import copy
import logging
import pickle

import pytest

from azure_certvar_credential.exceptions import (
    AuthenticationError,
    ConfigurationError,
    InteractionRequiredError,
    UserAssertionRejectedError,
)
from tests.credential.users import ORDERS, claims_of, user_token
from tests.credential.world import Driver, World

REJECTED: dict[str, tuple[str, int, type[AuthenticationError]]] = {
    "expired": ("lifetime", 500133, UserAssertionRejectedError),
    "for another application": ("audience", 500131, UserAssertionRejectedError),
    "tampered with": ("signature", 50013, UserAssertionRejectedError),
    "an application's own": ("app", 7000114, UserAssertionRejectedError),
    "without consent": ("consent", 65001, InteractionRequiredError),
}


@pytest.mark.parametrize("case", REJECTED)
async def test_a_refusal_names_what_is_wrong_with_the_users_assertion(
    world: World, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    what, code, kind = REJECTED[case]
    caplog.set_level(logging.DEBUG)
    driver = world.driver()
    token = user_token(world, lifetime=-400 if what == "lifetime" else 3599)
    if what == "audience":
        other = world.entra.add_application()
        token = world.entra.issue_user_token(world.entra.add_user("Other User"), other)
    elif what == "signature":
        head, body, signature = token.split(".")
        token = f"{head}.{body}.{signature[:-8]}{'AAAAAAAA' if signature[-8:] != 'AAAAAAAA' else 'BBBBBBBB'}"
    elif what == "app":
        token = (await driver.get_token(f"api://{world.application.client_id}/.default")).token
    elif what == "consent":
        world.application = world.entra.add_application(
            world.certificate, delegated_scopes=["https://graph.microsoft.com/User.Read"]
        )
        driver, token = world.driver(), user_token(world, "Megan Bowen")

    with pytest.raises(AuthenticationError) as caught:
        await driver.for_user(token).get_token(ORDERS)

    assert type(caught.value) is kind
    assert caught.value.error_codes == (code,)
    assert caught.value.hint is not None
    assert token not in f"{caught.value!r} {caught.value.__dict__} {caplog.text}"
    assert token.split(".")[1] not in caplog.text


async def test_a_callable_gives_the_present_user(world: World) -> None:
    present = [user_token(world, "Adele Vance"), user_token(world, "Megan Bowen")]

    async def later() -> str:
        return present[0]

    for_user = world.driver().for_user(later if world.kind == "aio" else lambda: present[0])
    adele = await for_user.get_token(ORDERS)
    assert await for_user.get_token(ORDERS) is adele
    present.reverse()
    assert claims_of((await for_user.get_token(ORDERS)).token)["upn"].startswith("megan.bowen@")
    assert world.requests == 2


@pytest.mark.parametrize("given", ["", "hello", "Bearer a.b.c", "a.b.c ", None, 7, b"a.b.c"])
async def test_what_is_no_token_is_refused_at_once(world: World, given: object) -> None:
    # A text came from the user's client; anything else is the program's own mistake.
    error: type[Exception] = UserAssertionRejectedError if isinstance(given, str) else ConfigurationError
    with pytest.raises(error, match="user_assertion"):
        world.driver().for_user(given)
    with pytest.raises(error, match="user_assertion"):
        await world.driver().for_user(lambda: given).get_token(ORDERS)
    assert world.requests == 0


async def test_a_coroutine_function_is_for_the_asynchronous_credential(world: World) -> None:
    async def later() -> str:
        return "a.b.c"

    if world.kind == "sync":
        with pytest.raises(ConfigurationError, match=r"user_assertion is asynchronous.*aio"):
            world.driver().for_user(later)
    else:
        assert "OnBehalfOf" in repr(world.driver().for_user(later).credential)


async def test_it_shows_copies_and_keeps_no_users_token(world: World) -> None:
    token = user_token(world)
    credential = world.driver().for_user(token).credential
    assert token not in repr(credential)
    acquired = await Driver(credential).get_token(ORDERS)
    assert await Driver(copy.deepcopy(credential)).get_token(ORDERS) is acquired
    with pytest.raises(TypeError, match="in clear"):
        pickle.dumps(credential)


async def test_closing_it_closes_nothing_of_the_one_it_came_from(world: World) -> None:
    driver, token = world.driver(), user_token(world)
    await driver.for_user(token).close()
    assert (await driver.for_user(token).get_token(ORDERS)).token


async def test_a_managed_identitys_path_does_not_go_with_a_user(world: World) -> None:
    with pytest.raises(ConfigurationError, match="fmi_path"):
        await world.driver().for_user(user_token(world)).get_token(ORDERS, fmi_path="a")
