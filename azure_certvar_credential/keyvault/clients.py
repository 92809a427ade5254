"""Asks with the synchronous clients of Azure's packages, and says in this package's words what went wrong."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

from azure_certvar_credential._secrecy.tracebacks import cleared
from azure_certvar_credential.exceptions import KeyVaultError
from azure_certvar_credential.keyvault.calls import VaultCall
from azure_certvar_credential.keyvault.failures import explained
from azure_certvar_credential.keyvault.location import Access, client_class

T = TypeVar("T")


def run_calls(questions: Generator[VaultCall, Any, T], access: Access) -> T:
    """Answer the questions of a generator, raise in it what a question failed with, and return what it returns.

    :raises KeyVaultError, ConfigurationError: it could not go on.
    """
    try:
        question = next(questions)
        while True:
            try:
                answer = asked(access, question)
            except KeyVaultError as error:
                question = questions.throw(error)
            else:
                question = questions.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        questions.close()


def asked(access: Access, question: VaultCall) -> Any:
    """Ask the vault one thing, with a client of its own.

    Certificates are read once an hour and assertions of remote keys are used again, so that no connection is worth
    keeping: none goes stale, none is shared after a fork, and there is nothing to close.

    :raises KeyVaultError, ConfigurationError: it did not work.
    """
    credential = access.credential_for(question.url)
    client = client_class(question.module, question.client)(question.target, credential, **access.options)
    try:
        answer = getattr(client, question.method)(*question.arguments, **access.timeouts)
        return list(answer) if question.pages else answer
    except BaseException as error:  # noqa: BLE001 - the credential is the caller's code, and the clients raise anything
        failure = explained(error, question.operation, question.subject)
    finally:
        if not access.shares_transport:
            client.close()
    # Outside of the handler, so that it does not carry the other along, which has the request and its token.
    raise cleared(failure)
