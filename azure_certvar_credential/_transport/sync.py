"""Sends token requests with azure-core's ``Pipeline`` and, unless told otherwise, a transport over urllib3."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import RetryPolicy

from azure_certvar_credential._core.effects import Fetch, Send, Unanswered
from azure_certvar_credential._core.exchange import MAX_BODY, Response
from azure_certvar_credential._transport import pipeline
from azure_certvar_credential._transport.attempt import Attempt, under_way
from azure_certvar_credential._transport.deadline import deadline
from azure_certvar_credential._transport.pipeline import Boundary
from azure_certvar_credential.exceptions import CLOSED, CredentialClosedError


class Sender:
    """A pipeline that is built when the first request is sent, because urllib3 takes long to import.

    :param options: checked pipeline options, as :mod:`.options` names them.
    :param owns_transport: whether a transport among the options is closed with this pipeline.
    """

    def __init__(self, options: Mapping[str, Any], *, owns_transport: bool = True) -> None:
        self._options = options
        self._owns_transport = owns_transport or options.get("transport") is None
        self._lock = threading.Lock()
        self._closed = False
        self._pipeline: Pipeline[Any, Any] | None = None
        self._transport: Any = options.get("transport")

    def send(self, effect: Send | Fetch) -> Response | Unanswered:
        """Post a token request, or get a document, and read the answer, at most 1 MiB of it.

        :returns: the answer, or why there is none.
        :raises AcquisitionTimeoutError: the deadline has passed.
        """
        attempt = Attempt(effect, self._options, tells=self._options.get("transport") is None)
        token = under_way.set(attempt)
        try:
            return self._answer(attempt, effect)
        except Exception as error:  # noqa: BLE001 - judged below
            failure = error
        finally:
            under_way.reset(token)
        # Outside of the handler: an error that is made while another one is handled keeps that one, with its request.
        if self._closed:  # meanwhile, and the transport says so in words of its own
            raise CredentialClosedError(CLOSED)
        return pipeline.unanswered(attempt, failure)

    def sleep(self, seconds: float) -> None:
        """Wait, in the way that the transport waits, until the deadline at the longest."""
        self._opened()
        self._transport.sleep(min(seconds, deadline().remaining()))

    def close(self) -> None:
        """Close the connections for good.

        A transport among the options is closed also if it was never used, as azure-core does.
        """
        with self._lock:
            again, self._pipeline, self._closed = self._closed, None, True
        if self._transport is not None and self._owns_transport and not again:
            self._transport.__exit__()

    def after_fork(self) -> None:
        """Leave the parent process's connections alone: the next request of the child opens its own."""
        self._lock = threading.Lock()
        self._pipeline, self._transport = None, self._options.get("transport")

    def _opened(self) -> Pipeline[Any, Any]:
        opened = self._pipeline
        if opened is None:
            with self._lock:
                if self._closed:
                    raise CredentialClosedError(CLOSED)
                opened = self._pipeline
                if opened is None:
                    if self._transport is None:
                        from azure_certvar_credential._transport.urllib3_transport import Urllib3Transport

                        self._transport = Urllib3Transport(self._options)
                    policies = pipeline.build_policies(RetryPolicy, Boundary(), self._options)
                    opened = self._pipeline = Pipeline(self._transport, policies)
        return opened

    def _answer(self, attempt: Attempt, effect: Send | Fetch) -> Response:
        opened = self._opened()
        options = pipeline.run_options(self._transport)
        response = opened.run(pipeline.http_request(effect), stream=True, **options).http_response
        try:
            return attempt.quoting_nothing(_read(response))
        except Exception as error:  # noqa: BLE001 - the transport's, of any class
            failure = error
        raise attempt.translated(failure)


def _read(response: Any) -> Response:
    if not hasattr(response, "iter_bytes"):  # a transport that answers with azure-core's older response class
        return pipeline.read_response(response, response.body())
    body = bytearray()
    try:
        for chunk in response.iter_bytes():
            deadline().check()
            body += chunk
            if len(body) > MAX_BODY:
                break
        return pipeline.read_response(response, body)
    finally:
        response.close()
