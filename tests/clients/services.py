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
    :ivar options: more keyword arguments for the client, in the same way.
    :ivar trust: whether the client takes ``connection_verify`` as well; others read the environment.
    """

    client: str
    audience: str
    call: Callable[[Any], Any]
    answers: tuple[Answer, ...]
    result: Callable[[Any], Any] = lambda value: value
    names: Mapping[str, str] = field(default_factory=lambda: {"endpoint": "{base}", "account_url": "{base}"})
    options: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = True


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


def _ask(client: Any) -> Any:
    return client.chat.completions.create(model="gpt", messages=[{"role": "user", "content": "?"}])


def _title(context: Any) -> Any:
    web = context.web.get().execute_query()
    return web.title


_COMPLETION: Final = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
_KUSTO_CLOUD: Final = {
    "LoginEndpoint": "https://login.microsoftonline.com",
    "LoginMfaRequired": False,
    "KustoClientAppId": "db662dc1-0cfe-4e1c-a843-19a68e65be58",
    "KustoClientRedirectUri": "https://microsoft/kustoclient",
    "KustoServiceResourceId": "https://kusto.kusto.windows.net",
    "FirstPartyAuthorityUrl": "https://login.microsoftonline.com/f8cdef31-a31e-4b4a-93e4-5f571e91255a",
}
_FRAMES: Final = [
    {"FrameType": "DataSetHeader", "IsProgressive": False, "Version": "v2.0"},
    {
        "FrameType": "DataTable",
        "TableId": 0,
        "TableKind": "PrimaryResult",
        "TableName": "PrimaryResult",
        "Columns": [{"ColumnName": "n", "ColumnType": "long"}],
        "Rows": [[7]],
    },
    {"FrameType": "DataSetCompletion", "HasErrors": False, "Cancelled": False},
]
_VERSIONS: Final = {"resourceVersion": 1, "minVersion": "1.0", "maxVersion": "7.1", "releasedVersion": "7.1"}
_LOCATIONS: Final = {
    "603fe2ac-9723-48b9-88ad-09305aa6c6e1": ("core", "projects"),
    "e81700f7-3be2-46de-8624-2eb35882fcaa": ("Location", "ResourceAreas"),
}
_DEVOPS: Final = (
    Answer("GET /_apis/projects", {"count": 1, "value": [{"name": "p"}]}),
    Answer("GET /_apis/ResourceAreas", {"count": 0, "value": []}),
    Answer(
        "OPTIONS /_apis",
        {
            "count": len(_LOCATIONS),
            "value": [
                {"id": key, "area": area, "resourceName": name, "routeTemplate": "_apis/{resource}", **_VERSIONS}
                for key, (area, name) in _LOCATIONS.items()
            ],
        },
    ),
)

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
    Service(
        "Azure OpenAI",
        "https://cognitiveservices.azure.com",
        _ask,
        (Answer("POST /openai/deployments/gpt/chat/completions", _COMPLETION),),
        lambda completion: completion.choices[0].message.content == "yes",
        names={"endpoint": "{base}", "version": "2024-10-21"},
        trust=False,
    ),
    Service(
        "AI Foundry: projects",
        "https://ai.azure.com",
        lambda client: client.deployments.list(),
        (Answer("GET /api/projects/p/deployments", {"value": [{"name": "gpt", "type": "ModelDeployment"}]}),),
        lambda deployments: [deployment.name for deployment in deployments] == ["gpt"],
        names={"endpoint": "{base}/api/projects/p"},
    ),
    Service(
        "AI Foundry: inference",
        "https://ml.azure.com",
        lambda client: client.complete(messages=[{"role": "user", "content": "?"}]),
        (Answer("POST /chat/completions", _COMPLETION),),
        lambda completion: completion.choices[0].message.content == "yes",
    ),
    Service(
        "LangChain",
        "https://ai.azure.com",
        lambda model: model.invoke("?"),
        (Answer("POST /openai/v1/chat/completions", _COMPLETION),),
        lambda message: message.content == "yes",
        names={"endpoint": "{base}/openai/v1", "deployment": "gpt"},
        options={"use_responses_api": False},
        trust=False,
    ),
    Service(
        "Data Explorer (Kusto)",
        "https://kusto.kusto.windows.net",
        lambda client: client.execute("db", "T"),
        (
            Answer("POST /v2/rest/query", _FRAMES),
            Answer("GET /v1/rest/auth/metadata", {"AzureAD": _KUSTO_CLOUD}, public=True),
        ),
        lambda response: [row["n"] for row in response.primary_results[0]] == [7],
        names={"cluster": "{base}"},
        trust=False,
    ),
    Service(
        "Databricks",
        "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d",
        lambda client: client.current_user.me(),
        (Answer("GET /api/2.0/preview/scim/v2/Me", {"userName": "app"}),),
        lambda me: me.user_name == "app",
        names={"host": "{base}"},
        trust=False,
    ),
    Service(
        "SharePoint",
        "https://contoso.sharepoint.com",
        _title,
        (
            Answer("(GET|POST) /sites/team/_api/Web", {"Title": "Team"}),
            Answer("POST /sites/team/_api/contextInfo", {"FormDigestValue": "d", "FormDigestTimeoutSeconds": 1800}),
        ),
        lambda title: title == "Team",
        names={"site_url": "{base}/sites/team"},
        trust=False,
    ),
    Service(
        "Azure DevOps",
        "499b84ac-1321-427f-aa17-267ca6975798",
        lambda connection: connection.clients.get_core_client().get_projects(),
        _DEVOPS,
        lambda projects: [project.name for project in projects] == ["p"],
        names={"organization_url": "{base}"},
        trust=False,
    ),
)
