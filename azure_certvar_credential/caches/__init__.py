"""Caches of tokens; the only one keeps them in memory, ready to be returned."""
