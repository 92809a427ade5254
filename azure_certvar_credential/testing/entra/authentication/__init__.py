"""How a client proves who it is: by a registered certificate, a trusted name, or a federated token."""
