"""Signers of client assertions: keys in memory, on PKCS #11 tokens or behind callables, and their protocols."""
