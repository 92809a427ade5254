"""A stand-in for one Blob Storage account, in memory: as much of its REST API as the samples use."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from xml.sax.saxutils import escape

from azure_certvar_credential.testing import Request, Response

SAS = secrets.token_urlsafe()


@dataclass(frozen=True, slots=True)
class _Blob:
    body: bytes
    metadata: Mapping[str, str]
    etag: str = field(default_factory=lambda: f'"{secrets.token_hex(8)}"')

    @property
    def headers(self) -> dict[str, str]:
        """What describes the blob in an answer."""
        named = {"ETag": self.etag, "Last-Modified": formatdate(usegmt=True), "x-ms-blob-type": "BlockBlob"}
        return {**named, **self.metadata, "Content-Length": str(len(self.body))}


class Account:
    """The containers of an account, and their blobs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._containers: dict[str, dict[str, _Blob]] = {"tokens": {}}

    def answer(self, request: Request) -> Response:
        """Answer a request that has been authorised."""
        container, _, name = request.path[1:].partition("/")
        with self._lock:
            if not container:
                return _listing("Container", dict.fromkeys(self._containers, 0))
            if name:
                return self._blob(self._containers[container], name, request)
            if request.method == "GET":
                sizes = {found: len(blob.body) for found, blob in self._containers[container].items()}
                return _listing("Blob", sizes)
            if container in self._containers:
                return _refused(409, "ContainerAlreadyExists")
            self._containers[container] = {}
            return Response(201, {})

    def _blob(self, blobs: dict[str, _Blob], name: str, request: Request) -> Response:
        blob, wanted = blobs.get(name), request.headers.get("if-match")
        if request.method == "PUT":
            if blob is not None and request.headers.get("if-none-match") == "*":
                return _refused(409, "BlobAlreadyExists")
            if wanted is not None and (blob is None or blob.etag != wanted):
                return _refused(412, "ConditionNotMet")
            metadata = {field: value for field, value in request.headers.items() if field.startswith("x-ms-meta-")}
            blobs[name] = blob = _Blob(request.body, metadata)
            return Response(201, {**blob.headers, "Content-Length": "0"})
        if blob is None:
            return _refused(404, "BlobNotFound")
        if wanted is not None and blob.etag != wanted:
            return _refused(412, "ConditionNotMet")
        if request.method == "DELETE":
            del blobs[name]
            return Response(202, {})
        if request.method == "HEAD" or "x-ms-range" not in request.headers:
            return Response(200, blob.headers, blob.body)
        if not blob.body:
            return _refused(416, "InvalidRange")
        # Every download asks for a range; these blobs are shorter than any.
        size = len(blob.body)
        return Response(206, {**blob.headers, "Content-Range": f"bytes 0-{size - 1}/{size}"}, blob.body)


def _listing(kind: str, sizes: Mapping[str, int]) -> Response:
    entries = "".join(
        f"<{kind}><Name>{escape(name)}</Name><Properties><Content-Length>{size}</Content-Length>"
        f"<BlobType>BlockBlob</BlobType></Properties></{kind}>"
        for name, size in sizes.items()
    )
    text = f"<EnumerationResults><{kind}s>{entries}</{kind}s><NextMarker/></EnumerationResults>"
    return Response(200, {"Content-Type": "application/xml"}, text.encode())


def _refused(status: int, code: str) -> Response:
    body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
    return Response(status, {"Content-Type": "application/xml", "x-ms-error-code": code}, body)
