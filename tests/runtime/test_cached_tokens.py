"""What is done about a request at each second of a token's life, and what a failure changes."""

from __future__ import annotations

import logging

import pytest
from azure.core.exceptions import ServiceRequestError

from azure_certvar_credential._core.effects import ReadCache, Token
from azure_certvar_credential._core.freshness import CLOCK_STEP
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import BACKOFF, CachedTokens, Step
from azure_certvar_credential._runtime.failures import MAX_REFUSALS
from azure_certvar_credential._runtime.immediate import perform_immediate
from azure_certvar_credential.caches.memory import Entry, TokenMemory
from azure_certvar_credential.exceptions import CredentialClosedError, TemporarilyUnavailableError
from tests.credential.world import Clock

SCOPES = ("api://orders/Read", "api://orders/Write")
REQUEST = TokenRequest(SCOPES, "contoso.example")
CHALLENGED = TokenRequest(SCOPES, "contoso.example", claims='{"access_token": {}}')
# Seconds after its start at which a token is due, is waited for, and ends.
REFRESH, REQUIRED, END = 3000.0, 3300.0, 3600.0
BROKEN = ServiceRequestError("no route")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> CachedTokens:
    return CachedTokens(TokenMemory(), clock, "contoso.example")


def token(clock: Clock, value: str = "first", *, life: float = END) -> Token:
    now = clock.now
    return Token(value, "Bearer", now + life, now + life - 600, now + life - 300, requested_on=now)


def entry_of(tokens: CachedTokens, request: TokenRequest = REQUEST) -> Entry:
    entry = tokens.store.get(request.key)
    assert entry is not None
    return entry


@pytest.mark.parametrize(
    ("age", "step"),
    [
        (0.0, "serve"),
        (REFRESH - 0.5, "serve"),
        (REFRESH, "refresh"),
        (REQUIRED - 0.5, "refresh"),
        (REQUIRED, "hurry"),
        (END - 0.5, "hurry"),
        (END, "join"),
    ],
)
def test_each_zone_begins_at_its_very_second(tokens: CachedTokens, clock: Clock, age: float, step: Step) -> None:
    tokens.write(REQUEST, token(clock))
    clock.advance(age)
    found, entry = tokens.plan(REQUEST)
    assert found == step
    assert (entry is None) is (step == "join")
    fresh = tokens.lookup(SCOPES, None, None, enable_cae=False)
    assert (fresh is not None) is (age < REFRESH or step == "refresh")  # one caller refreshes, the others are served


def test_of_all_callers_one_refreshes(tokens: CachedTokens, clock: Clock) -> None:
    tokens.write(REQUEST, token(clock))
    clock.advance(REFRESH)
    assert [tokens.plan(REQUEST)[0] for _ in range(3)] == ["refresh", "serve", "serve"]
    clock.advance(REQUIRED - REFRESH)
    assert tokens.plan(REQUEST)[0] == "hurry"


def test_an_interrupted_refresh_leaves_its_place_to_the_next_caller(tokens: CachedTokens, clock: Clock) -> None:
    tokens.write(REQUEST, token(clock))
    clock.advance(REFRESH)
    assert tokens.plan(REQUEST)[0] == "refresh"
    tokens.call_abandoned(REQUEST)
    assert tokens.plan(REQUEST)[0] == "refresh"


def test_a_failed_refresh_is_postponed_and_logged(
    tokens: CachedTokens, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    tokens.write(REQUEST, token(clock))
    clock.advance(REFRESH + 100)
    with caplog.at_level(logging.WARNING):
        tokens.call_failed(REQUEST, BROKEN, began=clock.now)
    assert caplog.messages == [
        (
            "could not refresh the token for api://orders/Read api://orders/Write in tenant contoso.example, valid for "
            "another 500 s; next attempt in 30 s: ServiceRequestError: no route"
        )
    ]
    clock.advance(BACKOFF - 0.5)
    assert tokens.plan(REQUEST)[0] == "serve"
    clock.advance(0.5)
    assert tokens.plan(REQUEST)[0] == "refresh"


def test_no_pause_outlasts_the_token(tokens: CachedTokens, clock: Clock) -> None:
    tokens.write(REQUEST, token(clock))
    clock.advance(END - 10)
    tokens.call_failed(REQUEST, BROKEN, began=clock.now)
    assert entry_of(tokens).fresh_until == clock.now + 10
    tokens.give_up_waiting(entry_of(tokens))
    assert entry_of(tokens).fresh_until == clock.now + 10


def test_who_gives_up_waiting_leaves_a_longer_pause_as_it_is(tokens: CachedTokens, clock: Clock) -> None:
    tokens.write(REQUEST, token(clock))
    clock.advance(REQUIRED)
    busy = TemporarilyUnavailableError("busy", retry_after=200.0)
    tokens.call_failed(REQUEST, busy, began=clock.now)
    assert tokens.give_up_waiting(entry_of(tokens)).fresh_until == clock.now + 200


def test_a_failure_says_nothing_about_a_token_that_was_requested_since(
    tokens: CachedTokens, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    began = clock.now
    clock.advance(5)
    tokens.write(REQUEST, token(clock))
    tokens.call_failed(REQUEST, BROKEN, began=began)
    tokens.call_failed(REQUEST, BROKEN, began=clock.now)  # the same second
    assert not caplog.messages
    assert entry_of(tokens).fresh_until == clock.now + REFRESH


def test_a_failure_without_an_older_token_is_not_logged(
    tokens: CachedTokens, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    tokens.call_failed(REQUEST, BROKEN, began=clock.now)
    tokens.write(REQUEST, token(clock))
    clock.advance(END)
    tokens.call_failed(REQUEST, BROKEN, began=clock.now)
    assert not caplog.messages
    tokens.call_abandoned(TokenRequest(("api://other/.default",), "contoso.example"))


def test_a_server_that_asks_for_a_pause_is_left_alone_for_its_length(tokens: CachedTokens, clock: Clock) -> None:
    tokens.call_failed(REQUEST, TemporarilyUnavailableError("busy", retry_after=90.0), began=clock.now)
    clock.advance(30)
    with pytest.raises(TemporarilyUnavailableError) as caught:
        tokens.plan(REQUEST)
    assert caught.value.retry_after == 60.0
    assert tokens.plan(CHALLENGED)[0] == "join"
    clock.advance(60)
    assert tokens.plan(REQUEST)[0] == "join"


def test_a_pause_from_the_future_is_none(tokens: CachedTokens, clock: Clock) -> None:
    tokens.call_failed(REQUEST, TemporarilyUnavailableError("busy", retry_after=90.0), began=clock.now)
    clock.advance(-1)
    assert tokens.plan(REQUEST)[0] == "join"


def test_a_token_ends_the_pause(tokens: CachedTokens, clock: Clock) -> None:
    tokens.call_failed(REQUEST, TemporarilyUnavailableError("busy", retry_after=9000.0), began=clock.now)
    tokens.write(REQUEST, token(clock))
    clock.advance(END)
    assert tokens.plan(REQUEST)[0] == "join"


def test_pauses_are_bounded_in_number_and_forgotten_when_they_are_over(tokens: CachedTokens, clock: Clock) -> None:
    busy = TemporarilyUnavailableError("busy", retry_after=60.0)
    for number in range(MAX_REFUSALS + 5):
        tokens.call_failed(TokenRequest((f"api://{number}/.default",), "contoso.example"), busy, began=clock.now)
    assert tokens.failures is not None
    assert len(tokens.failures.refusals) == MAX_REFUSALS
    clock.advance(60)
    tokens.call_failed(REQUEST, busy, began=clock.now)
    assert len(tokens.failures.refusals) == 1


def test_an_older_request_does_not_replace_a_newer_token(tokens: CachedTokens, clock: Clock) -> None:
    late = token(clock, "late")
    clock.advance(1)
    tokens.write(REQUEST, token(clock, "new"))
    tokens.write(REQUEST, late)
    assert entry_of(tokens).token.value == "new"


def test_of_two_tokens_of_one_moment_the_second_stays(tokens: CachedTokens, clock: Clock) -> None:
    tokens.write(REQUEST, token(clock, "one"))
    tokens.write(REQUEST, token(clock, "two"))
    assert entry_of(tokens).token.value == "two"


def test_the_answer_to_a_challenge_is_replaced_only_by_what_was_requested_later(
    tokens: CachedTokens, clock: Clock
) -> None:
    tokens.write(REQUEST, token(clock, "one"))
    tokens.write(CHALLENGED, token(clock, "answer"))
    tokens.write(REQUEST, token(clock, "same moment"))
    assert entry_of(tokens).token.value == "answer"
    clock.advance(1)
    tokens.write(REQUEST, token(clock, "later"))
    assert entry_of(tokens).token.value == "later"


@pytest.mark.parametrize(("life", "kept"), [(1.0, "first"), (299.0, "first"), (301.0, "second")])
def test_a_token_that_is_due_at_once_does_not_replace_a_better_one(
    tokens: CachedTokens, clock: Clock, life: float, kept: str
) -> None:
    tokens.write(REQUEST, token(clock))
    clock.advance(REFRESH)
    second = token(clock, "second", life=life)
    tokens.write(REQUEST, second)
    assert entry_of(tokens).token.value == kept
    outcome = tokens.outcome(REQUEST, second, None, again=False)
    assert outcome is not None
    assert outcome.token.value == kept


@pytest.mark.parametrize(("back", "believed"), [(CLOCK_STEP, True), (CLOCK_STEP + 1, False)])
def test_a_clock_set_back_by_more_than_a_step_ends_the_belief_in_a_token(
    tokens: CachedTokens, clock: Clock, back: float, believed: bool
) -> None:
    tokens.write(REQUEST, token(clock))
    clock.advance(-back)
    assert (tokens.lookup(SCOPES, None, None, enable_cae=False) is not None) is believed
    assert (tokens.fresh(REQUEST.key) is not None) is believed
    assert tokens.plan(REQUEST)[0] == ("serve" if believed else "join")
    outcome = tokens.outcome(REQUEST, token(clock, "due at once", life=60), None, again=False)
    assert outcome is not None
    assert (outcome.token.value == "first") is believed


def test_a_token_that_has_expired_on_the_way_is_asked_for_once_more(tokens: CachedTokens, clock: Clock) -> None:
    slow = token(clock, life=60)
    clock.advance(60)
    assert tokens.outcome(REQUEST, slow, None, again=True) is None
    expired = tokens.outcome(REQUEST, slow, None, again=False)
    assert expired is not None
    assert expired.token is slow


def test_an_older_token_serves_to_its_last_second_in_place_of_an_error(tokens: CachedTokens, clock: Clock) -> None:
    tokens.write(REQUEST, token(clock))
    clock.advance(END - 0.5)
    assert tokens.outcome(REQUEST, None, BROKEN, again=True) is entry_of(tokens)
    with pytest.raises(ServiceRequestError):
        tokens.outcome(CHALLENGED, None, BROKEN, again=True)
    clock.advance(0.5)
    with pytest.raises(ServiceRequestError):
        tokens.outcome(REQUEST, None, BROKEN, again=True)


def test_a_closed_credential_keeps_and_serves_nothing(tokens: CachedTokens, clock: Clock) -> None:
    tokens.write(REQUEST, token(clock))
    tokens.close()
    tokens.write(REQUEST, token(clock))
    assert tokens.store.get(REQUEST.key) is None
    assert tokens.lookup(SCOPES, None, None, enable_cae=False) is None
    with pytest.raises(CredentialClosedError):
        tokens.plan(REQUEST)


def test_the_hot_path_notes_the_use_and_knows_the_own_tenant(tokens: CachedTokens, clock: Clock) -> None:
    tokens.write(REQUEST, token(clock))
    clock.advance(7)
    assert tokens.lookup(SCOPES, None, "contoso.example", enable_cae=False) is entry_of(tokens)
    assert entry_of(tokens).used == clock.now
    assert tokens.lookup(SCOPES, None, "other.example", enable_cae=False) is None
    assert tokens.lookup(SCOPES, None, None, enable_cae=True) is None
    assert tokens.lookup(SCOPES, '{"a": 1}', None, enable_cae=False) is None
    assert tokens.lookup(([],), None, None, enable_cae=False) is None  # type: ignore[arg-type]
    clock.advance(1)
    assert tokens.fresh(REQUEST.key) is entry_of(tokens)
    assert entry_of(tokens).used == clock.now
    assert tokens.fresh(([],)) is None  # type: ignore[arg-type]


def test_a_challenge_reads_the_token_that_its_answer_replaces(tokens: CachedTokens, clock: Clock) -> None:
    """Members that share a cache count the generations of a token by it."""
    tokens.write(REQUEST, token(clock))
    for request in (REQUEST, CHALLENGED):
        read = perform_immediate(ReadCache(request), tokens, clock)
        assert isinstance(read, Token)
        assert read.value == "first"
