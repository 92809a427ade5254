"""A redis-server on a Unix socket, without a password unless the options say so."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import time

from local.scene import Scene, say

_START_SECONDS = 10.0


def start(scene: Scene, *options: str) -> dict[str, str]:
    """Start it and return ``REDIS_URL``; the server ends with this process.

    :param options: more of its command line.
    :raises SystemExit: it is not on PATH.
    """
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        sys.exit("--local needs redis-server or valkey-server on PATH; pip has none")
    path = scene.folder / "redis"
    options = (*options, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(scene.folder))
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)  # noqa: S603 - the command is fixed
    atexit.register(server.kill)
    ends = time.monotonic() + _START_SECONDS
    while not path.exists():
        if server.poll() is not None or time.monotonic() > ends:
            sys.exit(f"{program} does not start")
        time.sleep(0.01)
    say("Redis is a redis-server on this computer")
    return {"REDIS_URL": f"unix://{path}"}
