"""Send a message to an Azure Service Bus queue and receive it, over AMQP.

Install, in a clone of this repository:

    pip install '.[testing]' azure-servicebus

Set in the environment, or run it with --local:

    AZURE_TENANT_ID       the tenant's GUID or domain name
    AZURE_CLIENT_ID       the 'Application (client) ID' of the app registration
    APP_CERT              certificate and private key: PEM, or base64 of a PFX
    SERVICE_BUS           such as contoso.servicebus.windows.net
    SERVICE_BUS_QUEUE     the name of a queue
    SERVICE_BUS_ENDPOINT  another address to connect to, such as that of a gateway; it need not be set
    SSL_CERT_FILE         trusted certificate authorities, PEM; certifi's if it is not set

The application needs the role 'Azure Service Bus Data Owner' on the queue. The client keeps the token for its links and
asks for another before it expires. With --local, a stand-in for the broker verifies the token. The sample prints:

    sent: order 4711
    received: order 4711
"""

import os
import sys

from azure.servicebus import ServiceBusClient, ServiceBusMessage, TransportType

import local
from azure_certvar_credential import CertVarCredential


def main() -> None:
    """Send one message and receive one."""
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    queue = os.environ["SERVICE_BUS_QUEUE"]
    with (
        CertVarCredential(*names) as credential,
        ServiceBusClient(
            os.environ["SERVICE_BUS"],
            credential,
            transport_type=TransportType.Amqp,
            custom_endpoint_address=os.environ.get("SERVICE_BUS_ENDPOINT"),
            connection_verify=os.environ.get("SSL_CERT_FILE"),
        ) as client,
    ):
        with client.get_queue_sender(queue) as sender:
            sender.send_messages(ServiceBusMessage("order 4711"))
        print("sent: order 4711")
        with client.get_queue_receiver(queue, max_wait_time=10) as receiver:
            for message in receiver.receive_messages(max_message_count=1, max_wait_time=10):
                print("received:", message)
                receiver.complete_message(message)


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start("amqp_broker")
    main()
