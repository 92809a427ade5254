"""Clients over AMQP, which keep a token for each connection and renew it when a tenth of its life is left."""

from __future__ import annotations

from typing import Final

from tests.clients.row import Row

ROWS: Final = (
    Row(
        "Service Bus",
        "azure-servicebus",
        "ServiceBusClient(namespace, credential)",
        "clients/test_amqp.py::test_a_message_in_a_queue",
        sync="from azure.servicebus import ServiceBusClient",
        aio="from azure.servicebus.aio import ServiceBusClient",
    ),
    Row(
        "Event Hubs",
        "azure-eventhub",
        "EventHubProducerClient(namespace, hub, credential)",
        "clients/test_amqp.py::test_an_event",
        sync="from azure.eventhub import EventHubProducerClient",
        aio="from azure.eventhub.aio import EventHubProducerClient",
    ),
)
