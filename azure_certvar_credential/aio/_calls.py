"""Calls the code that a user handed over, be it synchronous or asynchronous, without holding up the event loop."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, TypeVar

from azure_certvar_credential._runtime.deadlock import waiting
from azure_certvar_credential._transport.async_library import Task, async_library
from azure_certvar_credential._transport.in_thread import in_thread
from azure_certvar_credential._transport.per_loop import PerLoop
from azure_certvar_credential.exceptions import KeyMismatchError
from azure_certvar_credential.signers.coroutines import is_coroutine_function
from azure_certvar_credential.signers.memory import MemorySigner
from azure_certvar_credential.signers.verification import verify

T = TypeVar("T")


async def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Await a coroutine function; call any other function in a thread, and await what it returns if need be."""
    if is_coroutine_function(function):
        return await function(*arguments)
    # Not known to be a coroutine function, it may still return an awaitable: a lambda around one, a bound partial.
    result = await in_thread(function, *arguments)
    return await result if inspect.isawaitable(result) else result


async def sign(signer: Any, message: bytes, algorithm: str, turn: AbstractAsyncContextManager[Any]) -> Any:
    """Have a message signed, and verify what an asynchronous signer returns.

    Keys in memory sign one after the other: a signature is work for the processor, and hundreds of threads at once
    would only keep the event loop from its turn.

    A synchronous one has proven at construction that its key is the certificate's; in a constructor nothing can be
    awaited, so an asynchronous one proves it here.

    :param turn: the running loop's lock for keys in memory.
    :raises KeyMismatchError: the signature does not verify with the certificate's public key.
    """
    if isinstance(signer, MemorySigner):
        async with turn:
            return await in_thread(signer.sign, message, algorithm)
    signature = await call(signer.sign, message, algorithm)
    if (
        is_coroutine_function(signer.sign)
        and isinstance(signature, bytes)
        and not verify(signer.public_key, message, signature, algorithm)
    ):
        raise KeyMismatchError(
            f"the {algorithm} signature made by {type(signer).__name__} does not verify with the certificate's public "
            "key: its key is another one, or it is damaged"
        )
    return signature


class _Awaited(NamedTuple):
    """Work in a task of its own.

    :ivar leader: the task.
    """

    leader: Task[Any]


def awaited_by_this_task(function: Callable[..., Awaitable[T]], *arguments: Any) -> Coroutine[Any, Any, T]:
    """Return a call of a coroutine function for another task, which notes that this one waits for it.

    So a call that comes to wait for this task is refused, and does not wait in vain.
    """
    waits = async_library().current_task()

    async def noted() -> T:
        with waiting(waits, _Awaited(async_library().current_task())):
            return await function(*arguments)

    return noted()


class LoopLock:
    """A lock for each event loop: an ``asyncio.Lock`` belongs to the first loop that waits for it."""

    def __init__(self) -> None:
        self._locks: PerLoop[AbstractAsyncContextManager[Any]] = PerLoop()

    def lock(self) -> AbstractAsyncContextManager[Any]:
        """Return the running loop's lock."""
        loop = async_library().get_running_loop()
        return self._locks.get(loop) or self._locks.put(loop, async_library().Lock())


class Background:
    """Tasks that nobody waits for, kept from being collected while they run."""

    def __init__(self) -> None:
        self._tasks: set[Task[Any]] = set()

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine, which raises nothing, in the running loop."""
        task = async_library().get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel the running loop's tasks and wait until they have ended."""
        loop = async_library().get_running_loop()
        tasks = [task for task in list(self._tasks) if task.get_loop() is loop]
        for task in tasks:
            task.cancel()
        await async_library().gather(*tasks, return_exceptions=True)
