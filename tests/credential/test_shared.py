"""Clients that close their credential, transports that were never used, and texts that tell credentials apart."""

from __future__ import annotations
