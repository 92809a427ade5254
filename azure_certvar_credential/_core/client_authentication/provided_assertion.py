"""An assertion from a caller's source: another credential's token, which a federated identity credential trusts.

https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

from typing import ClassVar

from azure_certvar_credential._core.client_authentication import ClientProof
from azure_certvar_credential._core.client_authentication.assertion import ASSERTION_TYPE
from azure_certvar_credential._core.effects import Endpoint, Flow, LoadAssertion, Moment, Unanswered
from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._values import Value


class ProvidedAssertion(Value):
    """Takes each assertion from the credential's assertion source, which caches and renews its tokens."""

    algorithm: ClassVar[str | None] = None
    about: ClassVar[str] = "client assertion came from assertion_source"

    def begin(self) -> Flow[ClientProof]:
        """Return itself: there is nothing to prepare."""
        yield from ()
        return self

    def assertion_for(self, audience: str | Endpoint) -> Flow[str]:  # noqa: ARG002 - the source has chosen it
        """Return the source's current assertion."""
        provided: str = yield LoadAssertion()
        return provided

    def fields(self, endpoint: Endpoint, moment: Moment) -> Flow[dict[str, str]]:  # noqa: ARG002 - the protocol's
        """Return the fields with the source's current assertion."""
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": (yield LoadAssertion())}

    def recovers(self, failure: Exception, answer: Response | Unanswered, moment: Moment) -> Flow[bool]:  # noqa: ARG002
        """Return False: the source chose the assertion's times and key."""
        yield from ()
        return False
