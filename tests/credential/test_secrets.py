"""No private key, assertion or token is where somebody could read it by accident."""

from __future__ import annotations

import gc
import logging
import re
import traceback
import types

import pytest

from azure_certvar_credential.testing import Fault
from tests.credential.world import STORAGE, World

JWT = re.compile(r"eyJ[\w-]{20,}")

FAULTS = {
    "none": None,
    "503": Fault.server_error(503),
    "HTML": Fault.not_json(),
    "reset before": Fault.reset_before(),
    "reset after": Fault.reset_after(),
    "truncated": Fault.truncated(),
    "application unknown": Fault.aadsts(700016),
    "no token": Fault.without_access_token(),
    "life in words": Fault.expires_in("soon"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_nothing_secret_is_logged_or_in_an_exception(
    world: World, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    fault = FAULTS[name]
    if fault is not None:
        world.entra.inject(fault, times=None)
    texts = []

    with caplog.at_level(logging.DEBUG):
        driver = world.driver(logging_enable=True, retry_total=1)
        try:
            token = await driver.get_token(STORAGE)
            texts += [repr(token), str(token), repr(await driver.get_token_info(STORAGE))]
        except Exception as error:  # noqa: BLE001 - each fault has its own, and all are searched
            texts += ["".join(traceback.format_exception(error)), repr(error), str(vars(error))]
            texts += [repr(vars(linked)) + str(linked) for linked in _chain(error)]

    texts += [caplog.text, *(repr(record.__dict__) for record in caplog.records), repr(driver.credential)]
    text = "\n".join(texts)
    assert not JWT.search(text)
    assert "PRIVATE KEY" not in text
    assert caplog.records


async def test_no_exception_keeps_the_request_alive(world: World) -> None:
    """Error reporters walk an exception's attributes; the assertion must not be found there."""
    world.entra.inject(Fault.reset_after(), times=None)

    with pytest.raises(Exception, match="reset") as caught:
        await world.driver(retry_total=0).get_token(STORAGE)

    for error in _chain(caught.value):
        for value in vars(error).values():
            reachable = [value, *gc.get_referents(value)]
            assert not any(JWT.search(repr(item)) for item in reachable)


def _chain(error: BaseException) -> list[BaseException]:
    """Every exception that hangs on one."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "inner_exception", None)]
    return found


async def test_the_credential_keeps_neither_the_certificates_text_nor_its_password(world: World) -> None:
    credential = world.driver(world.certificate.to_pem("open sesame"), password="open sesame").credential

    reached, waiting = set(), [credential._parts]
    while waiting:
        value = waiting.pop()
        if id(value) in reached or isinstance(value, type | types.ModuleType):
            continue
        reached.add(id(value))
        assert not (isinstance(value, str | bytes) and "open sesame" in str(value))
        assert not (isinstance(value, str | bytes) and "PRIVATE KEY" in str(value))
        # A function's globals are its module's, and the emulator behind the transport is not the credential's.
        waiting += [
            other for other in gc.get_referents(value) if other is not world.transport and not _is_globals(other)
        ]


def _is_globals(value: object) -> bool:
    return isinstance(value, dict) and "__builtins__" in value
