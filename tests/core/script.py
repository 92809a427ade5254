"""A scripted world: which effects the flow asks for, in which order, and what each is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from azure_certvar_credential._core.config import Settings, settings
from azure_certvar_credential._core.effects import (
    Effect,
    Flow,
    LoadCertificate,
    Moment,
    Now,
    ReadCache,
    Send,
    Serialized,
    Sign,
    Token,
    Unanswered,
    Wait,
    WriteCache,
    arun,
    run,
)
from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._core.flow import acquire
from azure_certvar_credential._core.grants import Grant
from azure_certvar_credential._core.grants.client_credentials import APPLICATION, client_credentials
from azure_certvar_credential._core.grants.on_behalf_of import on_behalf_of
from azure_certvar_credential._core.options import CertificateOptions, CredentialOptions, FederatedOptions
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._core.retries import Retry
from azure_certvar_credential._core.user_assertion import UserAssertion
from tests.core.certificates import certificate

NOW = 1_800_000_000.0
TENANT = "contoso.example"
T = TypeVar("T")


class Driver(Protocol):
    """Drives a flow to its end with the answers of a world."""

    def __call__(self, flow: Flow[T], perform: Callable[[Effect], Any], /) -> T: ...


@dataclass
class Step:
    """One expected effect.

    :ivar kind: its class.
    :ivar answer: what it is answered; an exception is raised instead.
    """

    kind: type[Any]
    answer: Any = None


def read_cache(token: Token | None = None) -> Step:
    return Step(ReadCache, token)


def now(time: float = NOW, *, jitter: float = 0.0) -> Step:
    return Step(Now, (time, jitter))


def load(name: str = "one") -> Step:
    return Step(LoadCertificate, certificate(name))


def post(answer: Response | Unanswered | BaseException, *, at: float = NOW, jitter: float = 0.0) -> list[Step]:
    """Return the steps of one request: a moment, a signature, an answer."""
    return [now(at, jitter=jitter), Step(Sign, b"a signature"), Step(Send, answer)]


def wait(seconds: float) -> Step:
    return Step(Wait, seconds)


WRITE = Step(WriteCache)


class World:
    """Performs a script, and keeps what was asked of it.

    :param script: steps, or lists of them, in order.
    """

    def __init__(self, *script: Step | list[Step]) -> None:
        self.steps = [step for part in script for step in (part if isinstance(part, list) else [part])]
        self.asked: list[Any] = []

    def perform(self, effect: Effect) -> Any:
        """Answer an effect if it is the next of the script."""
        self.asked.append(effect)
        place = len(self.asked)
        assert place <= len(self.steps), f"after its end the script was asked for {effect}"
        step = self.steps[place - 1]
        assert type(effect) is step.kind, f"effect {place} is {effect}, the script says {step.kind.__name__}"
        if isinstance(step.answer, BaseException):
            raise step.answer
        if isinstance(effect, Now):
            time, jitter = step.answer
            return Moment(time, f"jti-{place}", f"correlation-{place}", jitter)
        if isinstance(effect, Serialized):
            return run(effect.flow, self.perform)
        if isinstance(effect, Wait):
            assert effect.seconds == step.answer
            return None
        return step.answer

    def all(self, kind: type[Any]) -> list[Any]:
        """Return the effects of a class that were asked for."""
        return [effect for effect in self.asked if type(effect) is kind]

    def done(self) -> None:
        """Check that the script came to its end."""
        assert len(self.asked) == len(self.steps), f"not asked for: {self.steps[len(self.asked) :]}"


def drive_sync(flow: Flow[T], perform: Callable[[Effect], Any]) -> T:
    return run(flow, perform)


def drive_async(flow: Flow[T], perform: Callable[[Effect], Any]) -> T:
    async def performed(effect: Effect) -> Any:
        await asyncio.sleep(0)
        return perform(effect)

    return asyncio.run(arun(flow, performed))


def made_settings(
    *, retry: Retry | None = None, environment: Mapping[str, str] | None = None, federated: bool = False, **changed: Any
) -> Settings:
    arguments = {"tenant_id": TENANT, "client_id": "a-client", "disable_instance_discovery": True, **changed}
    kind: type[CredentialOptions] = FederatedOptions if federated else CertificateOptions
    return settings(kind(**arguments), retry=retry or Retry(), environment=environment or {})


def request(
    *, claims: str | None = None, cae: bool = False, fmi_path: str | None = None, user: UserAssertion | None = None
) -> TokenRequest:
    grant: Grant = APPLICATION if fmi_path is None else client_credentials(fmi_path)
    if user is not None:
        grant = on_behalf_of(user, fmi_path)
    return made_settings().request(
        ("https://storage.azure.com/.default",),
        claims=claims,
        tenant_id=None,
        enable_cae=cae,
        grant=grant,
    )


def flow(*, claims: str | None = None, cae: bool = False, **changed: Any) -> Flow[Token]:
    return acquire(made_settings(**changed), request(claims=claims, cae=cae))
