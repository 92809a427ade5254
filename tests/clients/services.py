"""What the clients of Azure's services are called for, and the least that the service has to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from tests.clients.resource import Answer

SUBSCRIPTION: Final = "00000000-0000-0000-0000-00000000abcd"


@dataclass(frozen=True, slots=True)
class Service:
    """One service, and one call of it.

    :ivar client: the client, as in the table.
    :ivar audience: what tokens for the service are for.
    :ivar call: uses the client.
    :ivar answers: of the service.
    :ivar result: what the call comes to.
    :ivar names: the variables of the client's line; ``{base}`` is the URL of the stand-in.
    :ivar options: more keyword arguments for the client, in the same way; None for no argument at all.
    """

    client: str
    audience: str
    call: Callable[[Any], Any]
    answers: tuple[Answer, ...]
    result: Callable[[Any], Any] = lambda value: value
    names: Mapping[str, str] = field(default_factory=lambda: {"endpoint": "{base}", "account_url": "{base}"})
    options: Mapping[str, Any] | None = field(default_factory=dict)


def _event() -> dict[str, Any]:
    return {
        "id": "1",
        "subject": "s",
        "data": {},
        "eventType": "t",
        "eventTime": "2026-01-01T00:00:00Z",
        "dataVersion": "1",
    }


def _span() -> Any:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

    return ReadableSpan("work", SpanContext(1, 2, is_remote=False), start_time=1, end_time=2)


SERVICES: Final = (
    Service(
        "Storage: data lake",
        "https://storage.azure.com",
        lambda client: client.get_file_system_client("files").get_paths(),
        (Answer("GET /files", {"paths": [{"name": "a.txt", "contentLength": "1"}]}),),
        lambda paths: [path.name for path in paths] == ["a.txt"],
    ),
    Service(
        "Resource Manager: subscriptions",
        "https://management.azure.com",
        lambda client: client.subscriptions.list(),
        (Answer("GET /subscriptions", {"value": [{"subscriptionId": SUBSCRIPTION}]}),),
        lambda subscriptions: [each.subscription_id for each in subscriptions] == [SUBSCRIPTION],
        options={"base_url": "{base}"},
    ),
    Service(
        "App Configuration",
        "https://azconfig.io",
        lambda client: client.get_configuration_setting("colour"),
        (Answer("GET /kv/colour", {"key": "colour", "value": "blue", "etag": "1"}),),
        lambda setting: setting.value == "blue",
        options={"audience": "https://azconfig.io/"},
    ),
    Service(
        "AI Search",
        "https://search.azure.com",
        lambda client: client.get_document_count(),
        (Answer(r"GET /indexes\('hotels'\)/docs/\$count", b"\xef\xbb\xbf7", headers={"Content-Type": "text/plain"}),),
        lambda count: count == 7,
    ),
    Service(
        "Event Grid",
        "https://eventgrid.azure.net",
        lambda client: client.send(_event()),
        (Answer("POST /api/events"),),
        lambda nothing: nothing is None,
        names={"endpoint": "{base}/api/events"},
    ),
    Service(
        "Monitor: query logs",
        "https://api.loganalytics.io",
        lambda client: client.query_workspace("w", "Heartbeat", timespan=timedelta(hours=1)),
        (
            Answer(
                "POST /v1/workspaces/w/query",
                {"tables": [{"name": "PrimaryResult", "columns": [{"name": "n", "type": "long"}], "rows": [[7]]}]},
            ),
        ),
        lambda answer: answer.tables[0].rows[0][0] == 7,
        options={"endpoint": "{base}/v1", "audience": "https://api.loganalytics.io"},
    ),
    Service(
        "Monitor: ingest logs",
        "https://monitor.azure.com",
        lambda client: client.upload("rule", "stream", [{"a": 1}]),
        (Answer("POST /dataCollectionRules/rule/streams/stream", status=204, body=b""),),
        lambda nothing: nothing is None,
    ),
    Service(
        "Monitor: OpenTelemetry",
        "https://monitor.azure.com",
        lambda client: client.export([_span()]),
        (Answer("POST /v2.1/track", {"itemsReceived": 1, "itemsAccepted": 1, "errors": []}),),
        lambda result: result.name == "SUCCESS",
        names={
            "connection_string": "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={base}/"
        },
        options={"disable_offline_storage": True},
    ),
)
