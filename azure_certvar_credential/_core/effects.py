"""The effects that a flow yields, as small frozen values, and the two loops that drive a flow.

A flow is a generator: it yields an effect, and receives the result or the failure. The sync shell performs effects with
threads and blocking calls, the async shell with awaitable ones; neither knows the order of the steps.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._secrecy.tracebacks import cleared
from azure_certvar_credential._values import Value, field

if TYPE_CHECKING:
    from azure_certvar_credential.certificates import ClientCertificate
    from azure_certvar_credential.signers.protocol import Signer

T = TypeVar("T")
E = TypeVar("E")

# The leaf's SHA-256 thumbprint, the algorithm, and the endpoint that the assertion is for.
AssertionKey = tuple[str, str, str]


class Token(Value):
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


class Moment(Value):
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


class Unanswered(Value):
    """A request without a complete answer.

    :ivar error: azure-core's exception, raised if retries do not help.
    :ivar sent: whether the server may have acted on it; False if there was no connection.
    """

    error: Exception
    sent: bool = True


class Now(Value):
    """Answer: a :class:`Moment`."""


class ReadCache(Value):
    """Answer: the :class:`Token` cached for the request, or None."""

    request: TokenRequest


class GetToken(Value):
    """Answer: the :class:`Token` of another request of the same credential, from its cache or acquired for it."""

    request: TokenRequest


class LoadCertificate(Value):
    """Answer: the certificate to sign with.

    :ivar refused: the certificate that the server has just refused, or None. A source may have a newer one; otherwise
        the answer is the same certificate.
    """

    refused: ClientCertificate | None = None


class LoadAssertion(Value):
    """Answer: the client assertion that the credential's assertion source returns, as ``str``."""


class Sign(Value):
    """Answer: the raw JWS signature over the message, as ``bytes``."""

    signer: Signer
    message: bytes
    algorithm: str


class ReadAssertion(Value):
    """Answer: the assertion kept under the key, or None; for remote signers only."""

    key: AssertionKey


class WriteAssertion(Value):
    """Answer: None, with the assertion kept until a time, in seconds since the epoch (UTC)."""

    key: AssertionKey
    assertion: str = field(repr=False)
    until: float


class Send(Value):
    """Answer: a :class:`~.exchange.Response`, or :class:`Unanswered`."""

    url: str
    form: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str]


class Fetch(Value):
    """Answer: a :class:`~.exchange.Response`, or :class:`Unanswered`; a GET, which carries no credential."""

    url: str


class ReadAlgorithm(Value):
    """Answer: the JWS ``alg`` that a certificate's signer was found to need, or None.

    :ivar thumbprint: the leaf's SHA-256 thumbprint.
    """

    thumbprint: str


class WriteAlgorithm(Value):
    """Answer: None, with the algorithm kept for the certificate, and the reason logged.

    :ivar refused: why its signer did not sign with the default one.
    """

    thumbprint: str
    algorithm: str
    refused: Exception


class Endpoint(Value):
    """A token endpoint.

    :ivar url: where requests are posted.
    :ivar issuer: the issuer identifier of its server, if that is what assertions are for; empty where it is the URL.
    """

    url: str
    issuer: str = ""


class PublishedEndpoint(Value):
    """A token endpoint that a metadata document names.

    :ivar endpoint: the endpoint.
    :ivar until: when to read the document again, in seconds since the epoch (UTC).
    """

    endpoint: Endpoint
    until: float


class ReadEndpoint(Value):
    """Answer: the :class:`PublishedEndpoint` last kept for a document, whatever its age; or None.

    :ivar key: the document's URL.
    """

    key: str


class WriteEndpoint(Value):
    """Answer: None, with the endpoint kept for the document.

    :ivar failure: the reason why the document could not be read again, to be logged; the endpoint is the last good one.
    """

    key: str
    endpoint: PublishedEndpoint
    failure: Exception | None = None


class Serialized(Value):
    """Answer: the result of a flow. One runs at a time; callers that waited for one that failed get its failure."""

    flow: Flow[Any]


class DetectRegion(Value):
    """Answer: the name of the process's Azure region, or None if it cannot be detected."""


class Wait(Value):
    """Answer: None, after the pause."""

    seconds: float


class WriteCache(Value):
    """Answer: None, with the token kept for the request's key."""

    request: TokenRequest
    token: Token


class Shared(Value):
    """Answer: what the cache that processes share answers.

    :ivar question: one of :mod:`.sharing`, whose docstring says what the answer is.
    """

    question: Any


# Those that need no waiting.
Immediate = (
    Now
    | ReadCache
    | WriteCache
    | ReadAlgorithm
    | WriteAlgorithm
    | ReadAssertion
    | WriteAssertion
    | ReadEndpoint
    | WriteEndpoint
)
Waiting = GetToken | LoadCertificate | LoadAssertion | Sign | Send | Fetch | Wait | DetectRegion | Serialized | Shared
Effect = Immediate | Waiting
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
