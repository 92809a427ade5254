"""Attempts that are made one after the other."""

from __future__ import annotations

import gc
import weakref

import pytest

from azure_certvar_credential._runtime.serialized_attempts import SerializedAttempts
from azure_certvar_credential._transport.deadline import Deadline
from azure_certvar_credential.exceptions import AuthenticationError


def fail(turns: SerializedAttempts, seen: int, error: BaseException) -> None:
    with turns.attempt(seen):
        raise error


def test_who_waited_for_a_failure_gets_a_copy_of_it_and_makes_no_attempt() -> None:
    turns = SerializedAttempts()
    seen = turns.number
    error = AuthenticationError("no", status_code=503)
    with pytest.raises(AuthenticationError):
        fail(turns, seen, error)

    attempted = False
    with pytest.raises(AuthenticationError, match="no") as caught, turns.attempt(seen):
        attempted = True

    assert not attempted
    assert caught.value is not error
    assert caught.value.status_code == 503


def test_who_comes_after_a_failure_makes_an_attempt() -> None:
    turns = SerializedAttempts()
    with pytest.raises(AuthenticationError):
        fail(turns, turns.number, AuthenticationError("no"))
    with turns.attempt(turns.number):
        pass
    # The callers that waited for that one go on as well: the earlier failure does not count.
    with turns.attempt(0):
        pass
    assert turns.number == 3


def test_an_interruption_is_nobody_elses() -> None:
    turns = SerializedAttempts()
    with pytest.raises(KeyboardInterrupt):
        fail(turns, 0, KeyboardInterrupt())
    with turns.attempt(0):
        pass
    assert turns.number == 2


def test_what_is_kept_of_a_failure_holds_nobodys_variables() -> None:
    class Held:
        pass

    def attempt() -> weakref.ref[Held]:
        held = Held()
        with pytest.raises(AuthenticationError):
            fail(turns, 0, AuthenticationError("no").with_traceback(None))
        return weakref.ref(held)

    turns = SerializedAttempts()
    held = attempt()
    gc.collect()
    assert held() is None


def test_a_fork_frees_the_lock() -> None:
    turns = SerializedAttempts()
    with turns.lock:
        turns.after_fork()
        with Deadline(1).applied(), turns.lock:
            turns.number += 1
    assert turns.number == 1
