"""What an application reads when a provider's metadata could not be read again."""

from __future__ import annotations

import logging

import pytest

from azure_certvar_credential._core.effects import Endpoint, PublishedEndpoint
from azure_certvar_credential._runtime.flow_memory import FlowMemory

_DOCUMENT = "https://idp.example/.well-known/openid-configuration"
_ENDPOINT = PublishedEndpoint(Endpoint("https://idp.example/token"), until=1300.0)


def test_a_metadata_failure_is_logged_with_what_stays_and_when_it_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory = FlowMemory(lambda: 1000.0)

    memory.write_endpoint(_DOCUMENT, _ENDPOINT, ConnectionError("no route"))

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    for part in (_DOCUMENT, _ENDPOINT.endpoint.url, "in 300 s", "ConnectionError: no route"):
        assert part in record.getMessage()
    assert memory.read_endpoint(_DOCUMENT) == _ENDPOINT


def test_metadata_that_was_read_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    FlowMemory(lambda: 1000.0).write_endpoint(_DOCUMENT, _ENDPOINT, None)

    assert not caplog.records
