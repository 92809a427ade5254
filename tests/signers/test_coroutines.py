"""A coroutine function is known before it is called, whatever form it has."""

from __future__ import annotations

from functools import partial

import pytest

from azure_certvar_credential.signers.coroutines import is_coroutine_function


class Awaited:
    async def __call__(self) -> None: ...

    async def sign(self) -> None: ...


class Called:
    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        pytest.param(Awaited(), True, id="an object whose call is a coroutine function"),
        pytest.param(Awaited().sign, True, id="a method"),
        pytest.param(partial(Awaited().sign), True, id="a partial"),
        pytest.param(Called(), False, id="an object that is called"),
        pytest.param(len, False, id="a function"),
        pytest.param(Awaited, False, id="a class, which is called to make an object"),
        pytest.param(None, False, id="nothing to call"),
    ],
)
def test_a_coroutine_function_is_known_before_it_is_called(function: object, *, expected: bool) -> None:
    assert is_coroutine_function(function) is expected
