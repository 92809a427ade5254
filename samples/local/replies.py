"""What the services that answer from a table answer."""

from __future__ import annotations

from typing import Any

VARIABLES = {
    "AZURE_OPENAI_ENDPOINT": "https://contoso.openai.azure.com",
    "AZURE_OPENAI_DEPLOYMENT": "chat",
    "SHAREPOINT_URL": "https://contoso.sharepoint.com/sites/orders",
    "WORKSPACE_URL": "https://adb-1234567890123456.7.azuredatabricks.net",
    "KUSTO_URL": "https://contoso.kusto.windows.net",
    "KUSTO_DATABASE": "Samples",
}
_CHAT = {
    "id": "1",
    "object": "chat.completion",
    "created": 0,
    "model": "chat",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris."}}],
}
_LISTS = [{"Title": "Documents", "ItemCount": 3}, {"Title": "Site Pages", "ItemCount": 1}]
_DIGEST = {"FormDigestValue": "0x0", "FormDigestTimeoutSeconds": 1800}
_COLUMNS = [{"ColumnName": "EventType", "ColumnType": "string"}, {"ColumnName": "Count", "ColumnType": "long"}]
_STORMS = {
    "FrameType": "DataTable",
    "TableId": 0,
    "TableKind": "PrimaryResult",
    "TableName": "PrimaryResult",
    "Columns": _COLUMNS,
    "Rows": [["Flood", 12], ["Hail", 7]],
}

# For each host the audience of its tokens, and the JSON that it answers to each request with a valid one.
REPLIES: dict[str, tuple[str, dict[str, Any]]] = {
    "graph.microsoft.com": (
        "https://graph.microsoft.com",
        {"GET /v1.0/users": {"value": [{"displayName": "Ada Lovelace"}, {"displayName": "Grace Hopper"}]}},
    ),
    "contoso.openai.azure.com": (
        "https://cognitiveservices.azure.com",
        {"POST /openai/deployments/chat/chat/completions": _CHAT},
    ),
    "contoso.sharepoint.com": (
        "https://contoso.sharepoint.com",
        {
            "POST /sites/orders/_api/contextInfo": {"d": {"GetContextWebInformation": _DIGEST}},
            "GET /sites/orders/_api/Web": {"d": {"Title": "Orders"}},
            "GET /sites/orders/_api/Web/lists": {"d": {"results": _LISTS}},
        },
    ),
    "adb-1234567890123456.7.azuredatabricks.net": (
        "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d",
        {
            "GET /.well-known/databricks-config": {"workspace_id": "1234567890123456", "cloud": "AZURE"},
            "GET /api/2.1/clusters/list": {"clusters": [{"cluster_name": "nightly", "state": "RUNNING"}]},
        },
    ),
    "contoso.kusto.windows.net": ("https://kusto.kusto.windows.net", {"POST /v2/rest/query": [_STORMS]}),
}
# What clients ask for before they have a token. Kusto's is not there, which its client takes for Azure's public cloud.
PUBLIC = ("/.well-known/", "/v1/rest/auth/metadata")
