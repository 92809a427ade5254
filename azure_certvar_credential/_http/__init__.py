"""What rooms share of HTTP that have nothing else in common: real connections, the emulators, and redaction."""

from __future__ import annotations

import os
import sys

# They have settings of the system, too.
_WITH_SETTINGS = ("darwin", "win32")


def environment_proxies() -> dict[str, str]:
    """Return the proxies of the environment or of the system's settings, as :func:`urllib.request.getproxies`.

    They are {"https": "http://proxy.example:8080", "no": "localhost"}, for instance.
    """
    if sys.platform not in _WITH_SETTINGS and not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    # It takes ten milliseconds of a process that has not made a request yet.
    from urllib.request import getproxies

    return getproxies()
