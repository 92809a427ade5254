"""A stand-in for a Service Bus namespace: an AMQP 1.0 broker with queues in memory that verifies tokens.

pip installs no AMQP 1.0 server. So azure-servicebus, which this stand-in serves, also lends it its codec for
frames; that codec is private, and may change with any version.
"""

from __future__ import annotations

import itertools
import socketserver
import struct
import uuid
from collections import defaultdict, deque
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
from azure.servicebus._pyamqp import performatives as frames
from azure.servicebus._pyamqp._decode import decode_frame, decode_payload
from azure.servicebus._pyamqp._encode import encode_frame, encode_payload
from azure.servicebus._pyamqp.endpoints import Source, Target
from azure.servicebus._pyamqp.error import AMQPError
from azure.servicebus._pyamqp.message import Message, Properties
from azure.servicebus._pyamqp.outcomes import Accepted

from local.scene import Scene, listen, say

_AUDIENCE = "https://servicebus.azure.net"
_CBS = b"$cbs"
_OPEN, _BEGIN, _ATTACH, _FLOW, _TRANSFER, _DISPOSITION, _DETACH, _END, _CLOSE = range(16, 25)


class _Connection(socketserver.StreamRequestHandler):
    scene: Scene
    queues: dict[bytes, deque[Message]]

    def setup(self) -> None:
        """Speak TLS."""
        self.request = self.scene.tls.wrap_socket(self.request, server_side=True)
        super().setup()
        self.deliveries, self.admitted = itertools.count(), False
        # The node of each link by its handle, for links to this broker and from it.
        self.targets: dict[int, bytes] = {}
        self.sources: dict[int, bytes] = {}

    def handle(self) -> None:
        """Serve the frames of a connection until it is closed."""
        self.wfile.write(self.rfile.read(8))
        self.send(0, frames.SASLMechanism, b"\x01", sasl_server_mechanisms=[b"ANONYMOUS"])
        self.receive()
        self.send(0, frames.SASLOutcome, b"\x01", code=b"\x00")
        self.wfile.write(self.rfile.read(8))
        while (received := self.receive()) is not None:
            channel, code, fields = received
            self.answer(channel, code, fields)
            if code == _CLOSE:
                return

    def answer(self, channel: int, code: int, fields: list[Any]) -> None:
        """Answer a frame."""
        if code == _OPEN:
            self.send(0, frames.OpenFrame, container_id="stand-in", max_frame_size=65536, channel_max=65535)
        elif code == _BEGIN:
            windows: dict[str, Any] = {"next_outgoing_id": 0, "incoming_window": 65536, "outgoing_window": 65536}
            self.send(channel, frames.BeginFrame, remote_channel=channel, handle_max=255, **windows)
        elif code == _ATTACH:
            self.attach(channel, fields)
        elif code == _FLOW and self.sources.get(fields[4], _CBS) != _CBS:
            self.deliver(channel, fields[4], fields[6])
        elif code == _TRANSFER:
            self.take(channel, self.targets[fields[0]], decode_payload(fields[-1]))
            self.settle(channel, fields[1], receiver=True)
        elif code == _DISPOSITION:
            self.settle(channel, fields[1], receiver=False)
        elif code == _DETACH:
            self.send(channel, frames.DetachFrame, handle=fields[0], closed=True)
        elif code == _END:
            self.send(channel, frames.EndFrame)
        elif code == _CLOSE:
            self.send(channel, frames.CloseFrame)

    def attach(self, channel: int, fields: list[Any]) -> None:
        """Attach a link; refuse it before the connection has brought a token."""
        (name, handle, receives), source, target = fields[:3], fields[5][0], fields[6][0]
        both: dict[str, Any] = {
            "source": Source(address=source),
            "target": Target(address=target),
            "initial_delivery_count": 0,
        }
        self.send(channel, frames.AttachFrame, name=name, handle=handle, role=not receives, **both)
        if _CBS not in {source, target} and not self.admitted:
            refusal = AMQPError(condition=b"amqp:unauthorized-access", description=b"no valid token", info=None)
            self.send(channel, frames.DetachFrame, handle=handle, closed=True, error=refusal)
        elif receives:
            self.sources[handle] = source
        else:
            self.targets[handle] = target
            self.flow(channel, handle)

    def flow(self, channel: int, handle: int) -> None:
        """Let the client send."""
        windows: dict[str, Any] = {
            "next_incoming_id": 0,
            "incoming_window": 65536,
            "next_outgoing_id": 0,
            "outgoing_window": 65536,
        }
        self.send(channel, frames.FlowFrame, handle=handle, delivery_count=0, link_credit=100, **windows)

    def take(self, channel: int, node: bytes, message: Message) -> None:
        """Put a message into its queue, or verify a token and answer."""
        if node != _CBS:
            self.queues[node].append(message)
            return
        try:
            self.scene.verify(bytes(message.value).decode(), _AUDIENCE)
            self.admitted, code = True, 202
            say("Service Bus is a broker with its queues in memory; it verified the token")
        except jwt.InvalidTokenError:
            code = 401
        asked = message.properties.message_id if message.properties else None
        answer = Message(
            properties=Properties(correlation_id=asked),
            application_properties={
                "status-code": code,
                "status-description": "accepted" if code == 202 else "refused",
            },
        )
        (handle,) = (handle for handle, source in self.sources.items() if source == _CBS)
        self.transfer(channel, handle, answer)

    def deliver(self, channel: int, handle: int, credit: int) -> None:
        """Send what the queue has, at most so many messages, each locked for a minute."""
        queue = self.queues[self.sources[handle]]
        for _ in range(min(credit, len(queue))):
            marks = {
                b"x-opt-locked-until": datetime.now(timezone.utc) + timedelta(minutes=1),
                b"x-opt-sequence-number": 1,
            }
            self.transfer(channel, handle, queue.popleft()._replace(message_annotations=marks))

    def transfer(self, channel: int, handle: int, message: Message) -> None:
        """Send a message."""
        delivery: dict[str, Any] = {
            "delivery_id": next(self.deliveries),
            "delivery_tag": uuid.uuid4().bytes_le,
            "message_format": 0,
        }
        payload = encode_payload(bytearray(), message)
        self.send(channel, frames.TransferFrame, handle=handle, settled=False, payload=payload, **delivery)

    def settle(self, channel: int, delivery: int, *, receiver: bool) -> None:
        """Say that a delivery has been accepted, as its receiver or its sender."""
        span: dict[str, Any] = {"first": delivery, "last": delivery, "settled": True}
        self.send(channel, frames.DispositionFrame, role=receiver, state=Accepted(), **span)

    def send(self, channel: int, kind: Any, /, frame_type: bytes = b"\x00", **fields: Any) -> None:
        """Send a frame."""
        header, body = encode_frame(kind(**dict.fromkeys(kind._fields) | fields), frame_type)
        self.wfile.write(header + struct.pack("!H", channel) + bytes(body or b""))

    def receive(self) -> tuple[int, int, list[Any]] | None:
        """Return the next frame's channel, code and fields; None at the end of the connection."""
        while len(header := self.rfile.read(8)) == 8:
            length, _, _, channel = struct.unpack("!IBBH", header)
            if length > 8:  # a shorter one only keeps the connection alive
                return channel, *decode_frame(memoryview(self.rfile.read(length - 8)))
        return None

    def finish(self) -> None:
        """Close the TLS connection; the server closes the plain one alone."""
        super().finish()
        self.request.close()


def start(scene: Scene) -> dict[str, str]:
    """Start it and return the variables that name it."""
    shared = {"scene": scene, "queues": defaultdict(deque)}
    address = f"sb://localhost:{listen(type('Connection', (_Connection,), shared))}"
    return {"SERVICE_BUS": "localhost", "SERVICE_BUS_QUEUE": "orders", "SERVICE_BUS_ENDPOINT": address}
