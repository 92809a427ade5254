"""The application's authentication at the token endpoint (RFC 6749 section 2.3), one method a file.

``flow.acquire`` knows none of them by name: it begins one, takes its form fields for each request, and asks it after a
refusal whether another request may succeed.
"""

from __future__ import annotations

from typing import Protocol

from azure_certvar_credential._core.effects import Endpoint, Flow, Moment, Unanswered
from azure_certvar_credential._core.exchange import Response


class ClientProof(Protocol):
    """The client authentication of one acquisition, which may send several requests."""

    @property
    def about(self) -> str:
        """The part of a refusal's message that names the certificate; a clause without a full stop."""
        ...

    def fields(self, endpoint: Endpoint, moment: Moment) -> Flow[dict[str, str]]:
        """Return the form fields of the next request; yields effects.

        :param endpoint: where the request is posted.
        :param moment: the time, and an unused id.
        """
        ...

    def recovers(self, failure: Exception, answer: Response | Unanswered, moment: Moment) -> Flow[bool]:
        """Return whether another request with other fields may succeed; yields effects.

        :param failure: the failure that the answer means.
        :param answer: the answer.
        :param moment: the moment of the request.
        """
        ...


class ClientAuthentication(Protocol):
    """One way to authenticate, with its settings; a frozen value."""

    @property
    def algorithm(self) -> str | None:
        """The JWS ``alg`` of its signed assertions; None if it signs none."""
        ...

    def begin(self) -> Flow[ClientProof]:
        """Begin the authentication of an acquisition; yields effects."""
        ...

    def assertion_for(self, audience: str | Endpoint) -> Flow[str]:
        """Return an assertion for a request that another library sends; yields effects.

        :param audience: the ``aud``; an :class:`Endpoint` leaves the choice to the authentication.
        """
        ...
