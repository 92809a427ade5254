"""Service Bus and Event Hubs over AMQP, where a connection outlives its token: the client puts the next one in time."""

from __future__ import annotations

import importlib
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import pytest

from tests.clients.broker import Broker
from tests.clients.playing import Player, settled

NAMESPACE: Final = "contoso.servicebus.windows.net"
HOURS: Final = 3
# Seconds between messages. The client looks at its token's end with each, and not in between.
STEP: Final = 30


def _options(player: Player, broker: Broker) -> dict[str, Any]:
    # Without a transport they would take another endpoint for one of WebSockets.
    from azure.servicebus import TransportType

    return {
        "custom_endpoint_address": broker.endpoint,
        "transport_type": TransportType.Amqp,
        "connection_verify": player.scene.ca_file,
        "retry_total": 0,
    }


async def test_a_message_in_a_queue(player: Player, broker: Broker) -> None:
    from azure.servicebus import ServiceBusMessage

    before = len(broker.events)
    async with player.client("Service Bus", _options(player, broker), namespace=NAMESPACE) as client:
        sender = client.get_queue_sender("orders")
        receiver = client.get_queue_receiver("orders", max_wait_time=10)
        await settled(sender.send_messages(ServiceBusMessage("an order")))
        (message,) = await settled(receiver.receive_messages(max_message_count=1))
        assert str(message) == "an order"
        await settled(receiver.complete_message(message))
        await settled(sender.close())
        await settled(receiver.close())

    puts = [event for event in broker.events[before:] if "put" in event]
    # One for each connection, and all the same token.
    assert len(puts) == 2
    assert {put["audience"] for put in puts} == {"https://servicebus.azure.net"}
    assert len(player.scene.entra.requests) == 1


async def test_an_event(player: Player, broker: Broker) -> None:
    from azure.eventhub import EventData

    before = len(broker.events)
    async with player.client("Event Hubs", _options(player, broker), namespace=NAMESPACE, hub="clicks") as client:
        await settled(client.send_batch([EventData("a click")]))

    (put,) = [event for event in broker.events[before:] if "put" in event]
    assert put["audience"] == "https://eventhubs.azure.net"
    assert [event for event in broker.events[before:] if "sent" in event] == [{"sent": "clicks"}]
    assert len(player.scene.entra.requests) == 1


async def test_a_connection_outlives_its_token(player: Player, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    from azure.servicebus import ServiceBusMessage

    clock = player.scene.clock
    for module in ("azure.servicebus._pyamqp.cbs", "azure.servicebus._pyamqp.aio._cbs_async"):
        importlib.import_module(module)
        monkeypatch.setattr(f"{module}.utc_now", lambda: datetime.now(timezone.utc) + timedelta(seconds=clock.offset))

    before = len(broker.events)
    try:
        async with player.client("Service Bus", _options(player, broker), namespace=NAMESPACE) as client:
            sender = client.get_queue_sender("orders")
            for offset in range(0, HOURS * 3600, STEP):
                clock.offset = offset
                broker.set_clock(offset)
                await settled(sender.send_messages(ServiceBusMessage("an order")))
            await settled(sender.close())
    finally:
        clock.offset = 0
        broker.set_clock(0)

    events = broker.events[before:]
    assert len([event for event in events if "sent" in event]) == HOURS * 3600 // STEP
    # The broker would have refused a message after the token's end, and noted it.
    assert not [event for event in events if "expired" in event or "refused" in event]
    tokens = {event["put"] for event in events if "put" in event}
    assert len(tokens) == len(player.scene.entra.requests) == HOURS + 1
