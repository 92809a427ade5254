"""Frames behind an error lose their variables, and nothing that still runs is ended by that."""

from __future__ import annotations

import asyncio
import builtins
import sys
import traceback
from collections.abc import Generator
from typing import Any

import pytest

from azure_certvar_credential._secrecy.tracebacks import cleared, clears_frames, linked
from tests.reporters import reported

SECRET = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"


def _inner(secret: str) -> None:
    length = len(secret)
    raise LookupError(f"nothing in {length} characters")


@clears_frames
def _outer(secret: str) -> None:
    copied = secret[:]
    try:
        _inner(copied)
    except LookupError as error:
        raise RuntimeError("no") from error


def test_the_arguments_and_variables_of_all_frames_go_and_the_lines_stay() -> None:
    with pytest.raises(RuntimeError) as caught:
        _outer(SECRET)

    assert SECRET not in reported(caught.value)
    text = "".join(traceback.format_exception(caught.value))
    assert "in _inner" in text
    assert text.count("in call") == 1


def test_what_the_caller_is_handling_keeps_its_variables() -> None:
    def mine() -> None:
        kept = "kept"
        raise KeyError(kept)

    try:
        mine()
    except KeyError as handled:
        with pytest.raises(RuntimeError) as caught:
            _outer(SECRET)
        assert caught.value.__context__ is not None
        frames = [frame for frame, _ in traceback.walk_tb(handled.__traceback__)]
        assert frames[-1].f_locals["kept"] == "kept"


async def test_a_coroutine_that_handed_its_error_to_somebody_else_goes_on() -> None:
    """A worker that answers through futures: the error's traceback has the worker's frame, and the worker lives."""
    queue: asyncio.Queue[tuple[str, asyncio.Future[str]]] = asyncio.Queue()

    async def work() -> None:
        while True:
            key, future = await queue.get()
            try:
                future.set_result({"good": "value"}[key])
            except LookupError as error:
                future.set_exception(error)

    async def ask(key: str) -> str:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        queue.put_nowait((key, future))
        return await asyncio.wait_for(future, 5)

    worker = asyncio.create_task(work())
    with pytest.raises(LookupError) as caught:
        await ask("bad")
    cleared(caught.value)

    assert await ask("good") == "value"
    assert not worker.done()
    worker.cancel()
    await asyncio.wait([worker])


def test_a_generator_that_yields_its_errors_goes_on() -> None:
    def attempts() -> Generator[Exception]:
        number = 0
        while True:
            number += 1
            try:
                _inner(number * "x")
            except LookupError as error:
                yield error

    source = attempts()
    for number in range(1, 4):
        assert str(cleared(next(source))) == f"nothing in {number} characters"


def test_links_of_every_kind_are_followed_once() -> None:
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__context__ = second, first
    assert [str(error) for error in linked(first)] == ["first", "'second'"]


@pytest.mark.parametrize("value", [None, 7, "text", [1, 2]])
def test_an_error_of_anybodys_class_may_have_an_attribute_of_that_name(value: object) -> None:
    class OddError(Exception):
        exceptions: Any = value

    assert next(linked(OddError("x"))).args == ("x",)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no exception groups")
def test_the_members_of_a_group_are_emptied_too() -> None:
    with pytest.raises(LookupError) as caught:
        _inner(SECRET)
    group = builtins.ExceptionGroup("several", [caught.value])  # type: ignore[attr-defined]

    assert SECRET not in reported(cleared(group))
