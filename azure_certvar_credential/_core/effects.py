"""The effects that a flow yields, as small frozen values, and the two loops that drive a flow.

A flow is a generator: it yields an effect, and receives the result or the failure. The sync shell performs effects with
threads and blocking calls, the async shell with asyncio; neither knows the order of the steps.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._secrecy.tracebacks import cleared

if TYPE_CHECKING:
    from azure_certvar_credential.certificates import ClientCertificate
    from azure_certvar_credential.signers.protocol import Signer

T = TypeVar("T")
E = TypeVar("E")

# The leaf's SHA-256 thumbprint, the algorithm, and the endpoint that the assertion is for.
AssertionKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Token:
    """A token with the times that govern its life, in seconds since the epoch (UTC).

    :ivar generation: how many tokens of its key a shared cache has had, this one included; 0 for one not shared.
    """

    value: str = field(repr=False)
    token_type: str
    expires_on: float
    refresh_on: float
    required_on: float
    requested_on: float = field(default=0.0, compare=False)
    refresh_token: str | None = field(default=None, repr=False)
    generation: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Moment:
    """Time and randomness, which a pure flow cannot make itself.

    :ivar time: now, in seconds since the epoch (UTC).
    :ivar jti: an unused id for an assertion.
    :ivar correlation_id: an id for a request.
    :ivar jitter: a random number from 0 to 1.
    """

    time: float
    jti: str
    correlation_id: str
    jitter: float


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request without a complete answer.

    :ivar error: azure-core's exception, raised if retries do not help.
    :ivar sent: whether the server may have acted on it; False if there was no connection.
    """

    error: Exception
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Now:
    """Answer: a :class:`Moment`."""


@dataclass(frozen=True, slots=True)
class ReadCache:
    """Answer: the :class:`Token` cached for the request, or None."""

    request: TokenRequest


@dataclass(frozen=True, slots=True)
class LoadCertificate:
    """Answer: the certificate to sign with.

    :ivar refused: the certificate that the server has just refused, or None. A source may have a newer one; otherwise
        the answer is the same certificate.
    """

    refused: ClientCertificate | None = None


@dataclass(frozen=True, slots=True)
class LoadAssertion:
    """Answer: the client assertion that the credential's assertion source returns, as ``str``."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Answer: the raw JWS signature over the message, as ``bytes``."""

    signer: Signer
    message: bytes
    algorithm: str


@dataclass(frozen=True, slots=True)
class ReadAssertion:
    """Answer: the assertion kept under the key, or None; for remote signers only."""

    key: AssertionKey


@dataclass(frozen=True, slots=True)
class WriteAssertion:
    """Answer: None, with the assertion kept until a time, in seconds since the epoch (UTC)."""

    key: AssertionKey
    assertion: str = field(repr=False)
    until: float


@dataclass(frozen=True, slots=True)
class Send:
    """Answer: a :class:`~.exchange.Response`, or :class:`Unanswered`."""

    url: str
    form: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fetch:
    """Answer: a :class:`~.exchange.Response`, or :class:`Unanswered`; a GET, which carries no credential."""

    url: str


@dataclass(frozen=True, slots=True)
class PublishedEndpoint:
    """A token endpoint that a metadata document names.

    :ivar url: the endpoint.
    :ivar until: when to read the document again, in seconds since the epoch (UTC).
    """

    url: str
    until: float


@dataclass(frozen=True, slots=True)
class ReadEndpoint:
    """Answer: the :class:`PublishedEndpoint` last kept for a document, whatever its age; or None.

    :ivar key: the document's URL.
    """

    key: str


@dataclass(frozen=True, slots=True)
class WriteEndpoint:
    """Answer: None, with the endpoint kept for the document.

    :ivar failure: the reason why the document could not be read again, to be logged; the endpoint is the last good one.
    """

    key: str
    endpoint: PublishedEndpoint
    failure: Exception | None = None


@dataclass(frozen=True, slots=True)
class Serialized:
    """Answer: the result of a flow. One runs at a time; callers that waited for one that failed get its failure."""

    flow: Flow[Any]


@dataclass(frozen=True, slots=True)
class DetectRegion:
    """Answer: the name of the process's Azure region, or None if it cannot be detected."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Answer: None, after the pause."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WriteCache:
    """Answer: None, with the token kept for the request's key."""

    request: TokenRequest
    token: Token


@dataclass(frozen=True, slots=True)
class Shared:
    """Answer: what the cache that processes share answers.

    :ivar question: one of :mod:`.sharing`, whose docstring says what the answer is.
    """

    question: Any


# Those that need no waiting.
Immediate = Now | ReadCache | WriteCache | ReadAssertion | WriteAssertion | ReadEndpoint | WriteEndpoint
Effect = Immediate | LoadCertificate | LoadAssertion | Sign | Send | Fetch | Wait | DetectRegion | Serialized | Shared
# Each effect's docstring gives its answer; a generator's type cannot tell them apart.
Result = Any
Flow = Generator[Effect, Result, T]


def run(flow: Generator[E, Result, T], perform: Callable[[E], Result]) -> T:
    """Drive a flow to its end with blocking effects.

    The variables of a failure's frames are cleared, and those of this frame deleted: they hold assertions and tokens,
    which an error reporter would show.

    :param flow: the generator; it is always closed.
    :param perform: performs an effect and returns its answer; its exceptions are thrown into the flow.
    """
    effect = result = failure = None
    try:
        effect = next(flow)
        while True:
            failure = None
            try:
                result = perform(effect)
            except BaseException as error:  # noqa: BLE001 - the flow decides, a KeyboardInterrupt included
                failure = error
            effect = flow.send(result) if failure is None else flow.throw(cleared(failure))
    except StopIteration as done:
        result_of_flow: T = done.value
        return result_of_flow
    finally:
        effect = result = failure = None
        flow.close()


async def arun(flow: Generator[E, Result, T], perform: Callable[[E], Awaitable[Result]]) -> T:
    """Drive a flow to its end with awaitable effects; :func:`run` for asyncio."""
    effect = result = failure = None
    try:
        effect = next(flow)
        while True:
            failure = None
            try:
                result = await perform(effect)
            except BaseException as error:  # noqa: BLE001 - the flow decides, a cancellation included
                failure = error
            effect = flow.send(result) if failure is None else flow.throw(cleared(failure))
    except StopIteration as done:
        result_of_flow: T = done.value
        return result_of_flow
    finally:
        effect = result = failure = None
        flow.close()
