"""The memory of tokens: bounded, what has expired goes first, then what was used least recently."""

from __future__ import annotations

import threading
from collections.abc import Hashable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._values import replace
from azure_certvar_credential.caches.memory import MAX_ENTRIES, HiddenAccessToken, HiddenAccessTokenInfo, TokenMemory

NOW = 1_800_000_000.0


def token(life: float = 3600, *, at: float = NOW, value: str = "secret-token") -> Token:
    return Token(value, "Bearer", at + life, at + life / 2, at + life - life / 10)


def read(memory: TokenMemory, key: Hashable) -> Token | None:
    entry = memory.get(key)
    return None if entry is None else entry.token


def use(memory: TokenMemory, key: Hashable, now: float) -> None:
    """Do what the hot path does."""
    memory._entries[key].used = now


def test_an_empty_memory_knows_nothing() -> None:
    assert read(TokenMemory(), "a") is None


def test_a_kept_token_is_read_whatever_its_age() -> None:
    memory = TokenMemory()
    old = token(-100)
    memory.put("a", old, NOW)
    assert read(memory, "a") is old
    assert read(memory, "b") is None


def test_an_entry_has_both_forms_ready_made() -> None:
    entry = TokenMemory().put("a", token(100.9), NOW)
    assert type(entry.access_token) is HiddenAccessToken
    assert type(entry.access_token_info) is HiddenAccessTokenInfo
    assert entry.access_token == ("secret-token", NOW + 100)
    assert entry.access_token_info.token == "secret-token"
    assert entry.access_token_info.token_type == "Bearer"
    # Whole seconds, and never later than the token's own: azure-core's types are integers.
    assert entry.access_token_info.expires_on == NOW + 100
    assert entry.access_token_info.refresh_on == NOW + 50
    assert entry.fresh_until == NOW + 100.9 / 2
    assert entry.used == NOW


def test_the_entry_of_a_kept_token_is_the_kept_one() -> None:
    memory = TokenMemory()
    kept = token()
    entry = memory.put("a", kept, NOW)
    assert memory.entry("a", kept, answers_challenge=False) is entry
    assert memory.entry("a", kept, answers_challenge=True) is entry


def test_the_entry_of_a_token_that_was_replaced_meanwhile_still_is_its_own() -> None:
    memory = TokenMemory()
    memory.put("a", token(value="newer"), NOW)
    mine = token(value="mine")
    assert memory.entry("a", mine, answers_challenge=False).access_token.token == "mine"
    assert memory.entry("b", mine, answers_challenge=False).access_token.token == "mine"
    assert read(memory, "a") is not mine
    assert read(memory, "b") is None


def test_an_answer_to_a_challenge_is_the_better_one_unless_another_challenge_was_to_be_answered() -> None:
    memory = TokenMemory()
    answer = memory.put("a", token(value="answer"), NOW)
    answer.answered_on = NOW + 1
    mine = token(value="mine")
    assert memory.entry("a", mine, answers_challenge=False) is answer
    assert memory.entry("a", mine, answers_challenge=True).access_token.token == "mine"


def test_a_new_token_replaces_the_one_before_without_pushing_others_out() -> None:
    memory = TokenMemory(max_entries=2)
    memory.put("a", token(), NOW)
    memory.put("b", token(), NOW)
    newer = token(value="newer")
    memory.put("a", newer, NOW + 1)
    assert read(memory, "a") is newer
    assert set(memory._entries) == {"a", "b"}


def test_what_has_expired_goes_first_even_if_it_was_used_last() -> None:
    memory = TokenMemory(max_entries=20)
    for number in range(20):
        memory.put(number, token(10 if number % 5 == 0 else 3600), NOW)
    use(memory, 0, NOW + 9)
    memory.put("new", token(), NOW + 10)
    assert set(memory._entries) == {*(n for n in range(20) if n % 5), "new"}


def test_what_has_expired_stays_a_day_if_it_came_with_a_refresh_token() -> None:
    memory = TokenMemory()
    memory.put("user", replace(token(60), refresh_token="r"), NOW)
    memory.put("application", token(60), NOW)
    for later, expected in ((61.0, {"user"}), (60 + 86400.0, set())):
        for number in range(200):  # enough to look at what has expired
            memory.put((later, number), token(1, at=NOW + later), NOW + later)
        assert {"user", "application"} & memory._entries.keys() == expected


def test_else_the_least_recently_used_tenth_goes() -> None:
    memory = TokenMemory(max_entries=20)
    for number in range(20):
        memory.put(number, token(), NOW + number)
    use(memory, 0, NOW + 100)
    memory.put("new", token(), NOW + 200)
    assert set(memory._entries) == {0, *range(3, 20), "new"}


@pytest.mark.parametrize("bound", [1, 2, 9, 10, 11, 100])
def test_the_bound_holds_for_any_number_of_insertions(bound: int) -> None:
    memory = TokenMemory(max_entries=bound)
    for number in range(3 * bound + 5):
        memory.put(number, token(), NOW + number)
        assert len(memory._entries) <= bound
        assert read(memory, number) is not None


def test_there_is_a_bound_by_default() -> None:
    memory = TokenMemory()
    one = token(86400)
    for number in range(MAX_ENTRIES + 500):
        memory.put(number, one, NOW + number)
    assert MAX_ENTRIES * 9 // 10 <= len(memory._entries) <= MAX_ENTRIES


def test_clearing_forgets_everything() -> None:
    memory = TokenMemory()
    memory.put("a", token(), NOW)
    entries = memory._entries
    memory.clear()
    assert read(memory, "a") is None
    assert memory._entries is entries  # the hot path keeps a reference to it


def test_after_a_fork_the_tokens_stay_and_what_was_under_way_does_not() -> None:
    memory = TokenMemory()
    entry = memory.put("a", token(), NOW)
    entry.fresh_until = NOW + 9999  # as while a refresh is under way
    memory._lock.acquire()  # by a thread that the child process does not have
    memory.after_fork()
    assert NOW < entry.fresh_until <= entry.token.refresh_on
    memory.put("b", token(), NOW)
    assert set(memory._entries) == {"a", "b"}


def test_the_children_of_one_process_do_not_refresh_in_the_same_second() -> None:
    memory = TokenMemory()
    entry = memory.put("a", token(life=3600.0), NOW)
    times = set()
    for _ in range(20):
        memory.after_fork()
        times.add(int(entry.fresh_until))
    assert len(times) > 5
    assert all(entry.token.refresh_on - 61 <= time <= entry.token.refresh_on for time in times)


def test_many_threads_keep_the_bound() -> None:
    memory = TokenMemory(max_entries=50)
    errors: list[BaseException] = []
    start = threading.Barrier(8)

    def insert(worker: int) -> None:
        start.wait(timeout=10)
        try:
            for number in range(400):
                memory.put((worker, number), token(), NOW + number)
                read(memory, (worker, number - 1))
        except BaseException as error:  # noqa: BLE001 - reported below
            errors.append(error)

    threads = [threading.Thread(target=insert, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not errors
    assert len(memory._entries) <= 50


class Memory(RuleBasedStateMachine):
    """Any sequence of keeping, using and clearing, over a time that only runs forward."""

    BOUND = 12

    def __init__(self) -> None:
        super().__init__()
        self.memory = TokenMemory(max_entries=self.BOUND)
        self.latest: dict[int, Token] = {}
        self.now = NOW

    @rule(seconds=st.integers(1, 500))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule(key=st.integers(0, 30), life=st.integers(1, 1000))
    def put(self, key: int, life: int) -> None:
        self.now += 1
        before = dict(self.memory._entries)
        kept = token(life, at=self.now)
        self.memory.put(key, kept, self.now)
        self.latest[key] = kept
        gone = set(before) - set(self.memory._entries)
        if gone:
            assert len(before) == self.BOUND
            assert key not in before
        expired = {k for k, entry in before.items() if entry.token.expires_on <= self.now}
        if gone - expired:
            # Something alive went: then everything that had expired went too, and nothing that was used earlier stayed.
            assert expired <= gone
            staying = [entry.used for k, entry in before.items() if k not in gone]
            assert max(before[k].used for k in gone - expired) <= min(staying)
        assert len(gone - expired) <= max(self.BOUND // 10, 1)

    @precondition(lambda self: self.memory._entries)
    @rule(data=st.data())
    def use(self, data: st.DataObject) -> None:
        self.now += 1
        key = data.draw(st.sampled_from(sorted(self.memory._entries, key=repr)))
        use(self.memory, key, self.now)

    @rule()
    def clear(self) -> None:
        self.memory.clear()
        assert not self.memory._entries

    @invariant()
    def the_bound_holds(self) -> None:
        assert len(self.memory._entries) <= self.BOUND

    @invariant()
    def only_the_latest_token_of_a_key_is_read(self) -> None:
        for key in range(31):
            found = read(self.memory, key)
            assert found is None or found is self.latest[key]


TestMemory = Memory.TestCase
TestMemory.settings = settings(max_examples=60, stateful_step_count=60)
