"""Client authentication by the tokens of earlier legs: an agent identity presents its blueprint's token for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from azure_certvar_credential._core.client_authentication import ClientProof, assertion
from azure_certvar_credential._core.effects import Endpoint, Flow, GetToken, Moment, Token, Unanswered
from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._core.grants import TOKEN_EXCHANGE, Grant
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._values import Value, field


class EarlierLegs(Value):
    """Gets the token of each earlier leg as any other token: from the cache, by one request for all who want it.

    :ivar tenant_id: the tenant of all legs.
    :ivar grants: the grants of the tokens, by form field.
    """

    algorithm: ClassVar[str | None] = None
    about: ClassVar[str] = "client assertion was the token of an earlier leg"

    tenant_id: str
    grants: Mapping[str, Grant] = field(compare=False)

    def begin(self) -> Flow[ClientProof]:
        """Return itself: there is nothing to prepare."""
        yield from ()
        return self

    def assertion_for(self, audience: str | Endpoint) -> Flow[str]:  # noqa: ARG002 - Entra has chosen it
        """Return the present assertion."""
        grant = self.grants["client_assertion"]
        return (yield GetToken(TokenRequest((TOKEN_EXCHANGE,), self.tenant_id, grant=grant))).value  # type: ignore[no-any-return]

    def fields(self, endpoint: Endpoint, moment: Moment) -> Flow[dict[str, str]]:  # noqa: ARG002 - the protocol's
        """Return the fields with the present tokens."""
        # This frame waits, and so may be in the traceback of a failure: it holds tokens that hide their text.
        tokens: dict[str, Token] = {}
        for name, grant in self.grants.items():
            tokens[name] = yield GetToken(TokenRequest((TOKEN_EXCHANGE,), self.tenant_id, grant=grant))
        texts = {name: token.value for name, token in tokens.items()}
        return {"client_assertion_type": assertion.ASSERTION_TYPE, **texts}

    def recovers(self, failure: Exception, answer: Response | Unanswered, moment: Moment) -> Flow[bool]:  # noqa: ARG002
        """Return False: a fresh certificate or clock would concern the first leg, which has succeeded."""
        yield from ()
        return False
