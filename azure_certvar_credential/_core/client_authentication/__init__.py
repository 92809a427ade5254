"""How the application proves who it is at the token endpoint (RFC 6749 section 2.3), each way in a file.

``flow.acquire`` knows none of them by name: it begins one, takes its form fields for each request, and asks it whether
a refusal is worth another request.
"""

from __future__ import annotations

from typing import Protocol

from azure_certvar_credential._core.effects import Flow, Moment, Unanswered
from azure_certvar_credential._core.exchange import Response


class ClientProof(Protocol):
    """The client authentication of one acquisition, which may send several requests."""

    @property
    def about(self) -> str:
        """What the message of a refusal says of it, such as which certificate signed; a clause without a full stop."""
        ...

    def fields(self, endpoint: str, moment: Moment) -> Flow[dict[str, str]]:
        """Return the form fields of the next request; yields effects.

        :param endpoint: the URL that the request goes to.
        :param moment: the time, and an id that was never used.
        """
        ...

    def recovers(self, failure: Exception, answer: Response | Unanswered, moment: Moment) -> Flow[bool]:
        """Say whether another request with other fields may do better than the one that failed; yields effects.

        :param failure: what the answer was read as.
        :param answer: the answer.
        :param moment: of the request.
        """
        ...


class ClientAuthentication(Protocol):
    """One way to authenticate, with its settings; a frozen value."""

    @property
    def algorithm(self) -> str | None:
        """The JWS ``alg`` of the assertions that it signs; None if it signs none."""
        ...

    def begin(self) -> Flow[ClientProof]:
        """Begin the authentication of an acquisition; yields effects."""
        ...

    def assertion_for(self, audience: str) -> Flow[str]:
        """Return an assertion for a request that somebody else sends; yields effects.

        :param audience: whom it is for, the ``aud``.
        """
        ...
