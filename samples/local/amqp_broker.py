"""A stand-in for a Service Bus namespace: an AMQP broker with queues in memory, which verifies a connection's token.

Proton speaks AMQP and Python's ssl TLS, since not every build of Proton can.
"""

from __future__ import annotations

import socket
import socketserver
import threading
import time
import uuid
from collections import defaultdict, deque
from typing import Any

import jwt
from proton import Condition, Delivery, Message, symbol, timestamp
from proton.handlers import MessagingHandler
from proton.reactor import Container

from local.scene import Scene, copy, listen

_AUDIENCE = "https://servicebus.azure.net"
_CBS = "$cbs"


class _Broker(MessagingHandler):  # type: ignore[misc] # proton has no types
    def __init__(self, scene: Scene, port: int, ready: threading.Event) -> None:
        super().__init__(auto_settle=False)
        self._scene, self._port, self._ready = scene, port, ready
        self._queues: dict[str, deque[Message]] = defaultdict(deque)
        self._links: dict[Any, list[Any]] = defaultdict(list)
        self._admitted: set[Any] = set()

    def on_start(self, event: Any) -> None:
        """Listen."""
        event.container.listen(f"127.0.0.1:{self._port}")
        self._ready.set()

    def on_link_opening(self, event: Any) -> None:
        """Accept a link to the token endpoint, and one to a queue once the connection has brought a token."""
        link = event.link
        address = (link.remote_source if link.is_sender else link.remote_target).address
        if address != _CBS and event.connection not in self._admitted:
            link.condition = Condition("amqp:unauthorized-access", "the connection has brought no valid token")
            link.close()
            return
        link.source.address, link.target.address = link.remote_source.address, link.remote_target.address
        if link.is_sender:
            self._links[event.connection].append(link)

    def on_message(self, event: Any) -> None:
        """Take a token or a message."""
        message, address = event.message, event.link.target.address
        if address != _CBS:
            self._queues[address].append(message)
            return
        code = 202
        try:
            self._scene.verify(str(message.body), _AUDIENCE)
            self._admitted.add(event.connection)
        except jwt.InvalidTokenError:
            code = 401
        answer = Message(correlation_id=message.id, properties={"status-code": code, "status-description": str(code)})
        for link in self._links[event.connection]:
            if link.source.address == _CBS:
                link.send(answer)

    def on_sendable(self, event: Any) -> None:
        """Deliver what the queue has."""
        queue = self._queues[event.link.source.address]
        while event.link.credit and queue:
            message = queue.popleft()
            message.annotations = {
                symbol("x-opt-locked-until"): timestamp(int((time.time() + 60) * 1000)),
                symbol("x-opt-sequence-number"): 1,
            }
            event.link.send(message, tag=uuid.uuid4().bytes_le)

    def on_accepted(self, event: Any) -> None:
        """Settle what a receiver has completed."""
        event.delivery.update(Delivery.ACCEPTED)
        event.delivery.settle()


def start(scene: Scene) -> dict[str, str]:
    """Start it and return the variables that name it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    ready = threading.Event()
    container = Container(_Broker(scene, port, ready))
    threading.Thread(target=container.run, name="amqp-broker", daemon=True).start()
    ready.wait(10)

    class Tls(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            """Pass on what the client sends, and the answers back."""
            with socket.create_connection(("127.0.0.1", port)) as broker:
                client = scene.tls.wrap_socket(self.request, server_side=True)
                threading.Thread(target=copy, args=(broker, client), daemon=True).start()
                copy(client, broker)
                client.close()

    address = f"sb://localhost:{listen(Tls)}"
    return {"SERVICE_BUS": "localhost", "SERVICE_BUS_QUEUE": "orders", "SERVICE_BUS_ENDPOINT": address}
