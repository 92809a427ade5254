"""Sockets of TLS that do not outlive a connection."""

from __future__ import annotations

import errno
import os
import ssl
from typing import Any


class ClosingSocket(ssl.SSLSocket):
    """Closes itself when the other side has reset the connection before TLS began.

    CPython before 3.13 loses the socket there and leaves it to the garbage collector (python/cpython#113280).
    """

    def getpeername(self) -> Any:
        """Return the other side's address; ``wrap_socket`` asks first of all whether there is one."""
        try:
            return super().getpeername()
        except OSError:
            self.close()
            # ENOTCONN would send wrap_socket on to read from the socket.
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from None
