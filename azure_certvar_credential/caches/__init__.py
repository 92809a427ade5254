"""Caches of tokens: in memory, ready to be returned, and sealed ones that processes share."""
