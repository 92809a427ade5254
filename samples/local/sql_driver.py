"""A stand-in for an ODBC driver and its server: it verifies the token in the attribute; SQLite does the rest."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Mapping

from local.scene import Scene, say

_AUDIENCE = "https://database.windows.net"
_ATTRIBUTE = 1256
_scenes: list[Scene] = []


def start(scene: Scene) -> dict[str, str]:
    """Remember whose tokens to verify, and return the connection string."""
    _scenes.append(scene)
    return {"SQL_CONNECTION": "Server=contoso.database.windows.net;Database=orders;Encrypt=strict"}


def connect(_connection: str, *, attrs_before: Mapping[int, bytes]) -> sqlite3.Connection:
    """Connect as a driver does, and say what was verified.

    :raises jwt.InvalidTokenError: the token is not valid.
    :raises ValueError: the attribute is not a length and so many octets.
    """
    octets = attrs_before[_ATTRIBUTE]
    (length,) = struct.unpack_from("<i", octets)
    if length != len(octets) - 4:
        raise ValueError(f"attribute {_ATTRIBUTE} says {length} octets and has {len(octets) - 4}")
    claims = _scenes[-1].verify(octets[4:].decode("utf-16-le"), _AUDIENCE)
    say(f"SQL Server is SQLite; the token in attribute {_ATTRIBUTE}, {len(octets)} octets, was verified")
    connection = sqlite3.connect(":memory:")
    # As Azure SQL names a service principal.
    connection.create_function("SUSER_SNAME", 0, lambda: f"{claims['appid']}@{claims['tid']}")
    return connection
