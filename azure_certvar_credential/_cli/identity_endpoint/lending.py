"""Lends a certificate: an endpoint with its credential, open for as long as somebody needs it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from azure_certvar_credential._cli.exports import Exports
from azure_certvar_credential._cli.failures import CommandError
from azure_certvar_credential._cli.identity_endpoint.answers import Answer
from azure_certvar_credential._cli.identity_endpoint.requests import Guard, app_service, imds, resource_of
from azure_certvar_credential._cli.identity_endpoint.server import Place, listening
from azure_certvar_credential._cli.identity_endpoint.variables import variables
from azure_certvar_credential._cli.log_lines import log_line
from azure_certvar_credential._cli.output import messages
from azure_certvar_credential.aio import CertVarCredential


@dataclass(frozen=True, slots=True)
class Terms:
    """What is lent, and to whom.

    :ivar arguments: the keyword arguments of the credential, the certificate among them.
    :ivar place: where the endpoint listens.
    :ivar with_imds: whether it answers in IMDS's form too.
    :ivar allowed: the scopes or resources that tokens may be for; empty for all.
    :ivar quiet: whether to log only failures to get a token, and each once.
    """

    arguments: Mapping[str, Any] = field(repr=False)
    place: Place
    with_imds: bool
    allowed: Iterable[str]
    quiet: bool


@asynccontextmanager
async def lending(terms: Terms) -> AsyncIterator[Exports]:
    """Open an endpoint and yield the variables that lead to it.

    :param terms: what is lent.
    :raises CommandError: it cannot listen at its place.
    :raises ConfigurationError, CertificateError: the credential cannot be made.
    """
    forms = (app_service(), imds()) if terms.with_imds else (app_service(),)
    async with CertVarCredential(**terms.arguments) as credential:
        try:
            listener = terms.place.open()
        except OSError as error:
            where = terms.place.path or f"port {terms.place.port}"
            raise CommandError(f"the endpoint cannot listen at {where}: {error.strerror}") from None
        try:
            hosts = terms.place.hosts(listener)
            guard = Guard(
                forms,
                frozenset(hosts),
                terms.arguments["client_id"],
                frozenset(map(resource_of, terms.allowed)) or None,
            )
            found = variables(f"http://{hosts[0]}", *forms)
            async with listening(listener, guard, credential, _log(quiet=terms.quiet)):
                yield found
        finally:
            terms.place.close(listener)


def _log(*, quiet: bool) -> Callable[[Answer], None]:
    console = messages()
    last: tuple[str | None, str | None] | None = None

    def log(answer: Answer) -> None:
        nonlocal last
        told, last = last, (answer.resource, answer.reason)
        # Clients that shared a request share its failure too.
        if quiet and (answer.resource is None or answer.reason is None or last == told):
            return
        parts = [str(answer.status), answer.resource, answer.reason]
        console.print(Text(log_line(time.time(), *filter(None, parts))), soft_wrap=True)

    return log
