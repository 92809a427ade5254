"""Values of every option of the pipeline: which work, and which the constructors refuse."""

from __future__ import annotations

import atexit
import logging
import shutil
import ssl
import tempfile
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.pipeline.policies import HeadersPolicy, RetryPolicy
from azure.core.pipeline.transport import RequestsTransport
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

HERE, FOLDER = __file__, str(Path(__file__).parent)
_FILES = Path(tempfile.mkdtemp())
atexit.register(shutil.rmtree, _FILES)
AUTHORITY = trustme.CA()
CA, CLIENT, CERT, KEY, ENCRYPTED = (str(_FILES / name) for name in ("ca", "client", "cert", "key", "encrypted"))


def _write_files() -> None:
    AUTHORITY.cert_pem.write_to_path(CA)
    client = AUTHORITY.issue_cert("client.example")
    client.private_key_and_cert_chain_pem.write_to_path(CLIENT)
    client.cert_chain_pems[0].write_to_path(CERT)
    client.private_key_pem.write_to_path(KEY)
    key = load_pem_private_key(client.private_key_pem.bytes(), None)
    Path(ENCRYPTED).write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )


_write_files()

GOOD: dict[str, list[Any]] = {
    "transport": [RequestsTransport()],
    "policies": [[], [HeadersPolicy(), RetryPolicy()], (HeadersPolicy(),), iter([HeadersPolicy()])],
    "per_call_policies": [HeadersPolicy(), [HeadersPolicy()]],
    "per_retry_policies": [HeadersPolicy(), (HeadersPolicy(),)],
    "connection_cert": [CLIENT, (CERT, KEY), [Path(CERT), KEY]],
    "connection_data_block_size": [4096],
    "connection_timeout": [1, 0.5],
    "connection_verify": [True, False, CA, FOLDER, Path(CA), ssl.create_default_context()],
    "read_timeout": [30],
    "use_env_settings": [False],
    "base_headers": [{"x-team": "a"}],
    "headers": [{}, {"x-team": "a", "x-town": "Köln", "x-none": ""}],
    "proxies": [
        {},
        {"https": "http://proxy.example:3128", "http": None},
        {"https": "https://me:p%40ss@[::1]:3128/", "no_proxy": "a.example,10.0.0.0/8"},
        {"all": "proxy.example:3128", "http": "proxy.example"},
    ],
    "request_id": ["1"],
    "auto_request_id": [True],
    "user_agent": ["app/1.0"],
    "user_agent_overwrite": [True],
    "user_agent_use_env": [False],
    "raw_request_hook": [print],
    "raw_response_hook": [print],
    "http_logging_level": [logging.DEBUG],
    "logging_enable": [True],
    "network_span_namer": [str],
    "tracing_attributes": [{"team": 7}],
    "timeout": [60.0],
}
MALFORMED = [
    *["http://user:SECRET@127.0.0.1:99999", "http://user:SECRET@127.0.0.1:0", "http://user:SECRET@127.0.0.1:port"],
    *["foo://user:SECRET@proxy.example", "http://", "http://user:SECRET@", "http://user:SECRET@[::1"],
    *["http://user:SEC/RET@proxy.example", "http://user:1#SECRET@proxy.example", "http://user:1?SECRET@proxy.example"],
    *["http://user:SECRET@proxy.example\r\n", "http://user:SECRET @proxy.example", "http://user:€@proxy.example"],
]
BAD: dict[str, list[Any]] = {
    "transport": [object(), RequestsTransport, "requests", 5],
    "policies": [5, "policies", [5], [HeadersPolicy], HeadersPolicy, {"a": HeadersPolicy()}, HeadersPolicy()],
    "per_call_policies": [5, [object()], "x", HeadersPolicy],
    "per_retry_policies": [5, (5,), b"x"],
    "connection_cert": [
        *[5, Path(CLIENT), "/nonexistent.pem", (CERT,), (CERT, "/nonexistent.pem"), True, "a\x00b"],
        *[HERE, CERT, FOLDER, (CERT, CA), (CERT, ENCRYPTED), (KEY, CERT)],
    ],
    "connection_data_block_size": [0, -1, 1.5, True, "4096"],
    "connection_timeout": ["x", 0, -1, True, float("nan"), float("inf"), 10**400, [5]],
    "connection_verify": [5, "/nonexistent.pem", "", b"x", "a\x00b", HERE, KEY],
    "read_timeout": ["30", (1, 2)],
    "use_env_settings": ["yes", 1],
    "base_headers": [5, [("a", "b")], {"x": "€"}],
    "headers": [
        *[5, "a: b", {"a": 5}, {5: "a"}, {"a": b"b"}, {"a": "€"}, {"a": "b\r\nc: d"}, {"a": " b"}, {"a": "\x7f"}],
        *[{"": "a"}, {"a b": "c"}, {"a:": "b"}, {"ä": "b"}, {"a\n": "b"}],
    ],
    "proxies": [
        *["http://p", ["http://p"], {"https": 5}, {5: "http://p"}, {"no_proxy": 5}],
        *({"https": url} for url in MALFORMED),
    ],
    "request_id": [5, "1\n2", "€"],
    "auto_request_id": ["no"],
    "user_agent": [5, ["app"], b"app", "€", "app\r\nx: y"],
    "user_agent_overwrite": ["app"],
    "user_agent_use_env": [0],
    "raw_request_hook": ["print", 5],
    "raw_response_hook": [{}],
    "http_logging_level": ["INFO", True],
    "logging_enable": ["true", 1],
    "network_span_namer": ["name"],
    "tracing_attributes": [5, {5: "a"}],
    "timeout": ["x", 0],
}


def cases(table: dict[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(name, value, id=f"{name}-{number}")
        for name, values in table.items()
        for number, value in enumerate(values)
    ]
