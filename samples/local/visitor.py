"""Calls a sample that is a server, as a signed-in user would."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request

from local.scene import Scene, say

_START_SECONDS = 30.0


def send(path: str, scene: Scene) -> None:
    """Choose the sample's port, and have a thread call the path once the sample listens there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    os.environ["PORT"] = str(port)
    threading.Thread(target=_visit, args=(port, path, scene), name="visitor", daemon=True).start()


def _visit(port: int, path: str, scene: Scene) -> None:
    token = scene.entra.issue_user_token(scene.entra.add_user("Adele Vance"), scene.application)
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"})
    try:
        _wait(port)
        say(f"a signed-in user, Adele Vance, asks for {path}")
        with urllib.request.urlopen(request, timeout=_START_SECONDS) as answer:
            print(answer.status, json.dumps(json.load(answer)), flush=True)
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode(), flush=True)
    finally:
        os.kill(os.getpid(), signal.SIGINT)


def _wait(port: int) -> None:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the sample does not listen")
