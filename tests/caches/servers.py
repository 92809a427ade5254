"""Real Redis and Valkey servers on loopback, each with a directory of its own, that a test may stop, kill or freeze.

>>> with RedisServer(executable, directory) as server:
...     cache = RedisTokenCache(server.url())
...     server.kill()
...     server.start()
"""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import redis
from redis.sentinel import MasterNotFoundError, Sentinel

from tests.real.servers.process import ServerProcess
from tests.real.servers.tls import TlsFiles

SERVERS = ("redis-server", "valkey-server")
SENTINEL_NAME = "fleet"
_READY = re.compile("Ready to accept connections|Sentinel ID is")
# redis-py before 7 leaves the answer a text.
_CLUSTER_OK = re.compile(r"cluster_state\W+ok")
_SECONDS = 20.0
_HOST = "127.0.0.1"
# Above it are the ports from which a cluster's node numbers its second one.
_HIGHEST_PORT = 55_535


def installed() -> list[str]:
    """The servers that this machine has."""
    return [path for name in SERVERS if (path := shutil.which(name))]


def free_port() -> int:
    """A port that nobody listens on; nor does anybody on the one that a cluster's node would take beside it."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind((_HOST, 0))
            port: int = one.getsockname()[1]
            if port > _HIGHEST_PORT:
                port -= 20_000
                continue
            try:
                other.bind((_HOST, port + 10_000))
            except OSError:
                continue
            return port


class RedisServer:
    """One server process.

    :param executable: the path of ``redis-server`` or ``valkey-server``.
    :param directory: where it may write.
    :param options: its settings, with underscores for hyphens; a tuple or list has several values.
    :param tls: certificates, for a server that speaks TLS alone.
    :ivar port: its port, the same after each start.
    """

    def __init__(self, executable: str, directory: Path, *, tls: TlsFiles | None = None, **options: object) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.executable, self.directory, self.tls = executable, directory, tls
        self.port = free_port()
        ports: dict[str, object] = {"port": self.port}
        if tls is not None:
            ports = {
                "port": 0,
                "tls_port": self.port,
                "tls_cert_file": tls.certificate,
                "tls_key_file": tls.key,
                "tls_ca_cert_file": tls.ca,
                "tls_auth_clients": "no",
            }
        self.options = {"bind": _HOST, "save": "", "appendonly": "no", "dir": directory, **ports, **options}
        self._process: ServerProcess | None = None

    def start(self) -> None:
        """Start it with empty memory, and wait until it answers."""
        command = [self.executable, *self._arguments()]
        process = ServerProcess(Path(self.executable).name, command, self.directory)
        process.wait_for(_READY, _SECONDS)
        self._process = process

    def _arguments(self) -> Iterator[str]:
        for name, value in self.options.items():
            yield f"--{name.replace('_', '-')}"
            yield from map(str, value if isinstance(value, (tuple, list)) else [value])

    def stop(self) -> None:
        """End it in order; it may be stopped, frozen or dead already."""
        if self._process is not None:
            self.thaw()
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """End it as a crash does: ``kill -9``."""
        self._signal(signal.SIGKILL)
        self.stop()

    def restart(self) -> None:
        """Stop and start it; its memory is empty then."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Have it accept connections and answer nothing: ``SIGSTOP``."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on: ``SIGCONT``."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server is not running"
        self._process.send(number)

    def url(self, user: str | None = None, password: str | None = None, database: int = 0) -> str:
        """Its URL; with TLS, the URL names the authority to trust."""
        userinfo = "" if password is None else f"{user or ''}:{quote(password, safe='')}@"
        if self.tls is None:
            return f"redis://{userinfo}{_HOST}:{self.port}/{database}"
        return f"rediss://{userinfo}localhost:{self.port}/{database}?ssl_ca_certs={self.tls.ca}"

    @contextmanager
    def client(self, database: int = 0) -> Iterator[redis.Redis]:
        """A client of redis-py that sets the scene and looks behind it; without timeouts."""
        with redis.Redis.from_url(self.url(database=database)) as client:
            yield client

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class SentinelServer(RedisServer):
    """A Sentinel that watches a primary under the name of :data:`SENTINEL_NAME`."""

    def __init__(self, executable: str, directory: Path, primary: RedisServer) -> None:
        super().__init__(executable, directory)
        # It writes into its file what it learns.
        self._file = directory / "sentinel.conf"
        settings = [
            f"bind {_HOST}",
            f"port {self.port}",
            f"sentinel monitor {SENTINEL_NAME} {_HOST} {primary.port} 1",
            # On a busy machine the new primary may not answer for half a second, and must not count as down then.
            f"sentinel down-after-milliseconds {SENTINEL_NAME} 1500",
            f"sentinel failover-timeout {SENTINEL_NAME} 3000",
        ]
        self._file.write_text("\n".join(settings) + "\n")

    def _arguments(self) -> Iterator[str]:
        yield from (str(self._file), "--sentinel")


class Fleet:
    """A primary, its replica, and a Sentinel that makes the replica the primary when that is gone.

    :ivar primary: the primary at the start.
    :ivar replica: the other server.
    :ivar sentinel: redis-py's Sentinel client.
    :ivar sentinel_address: host and port of the Sentinel, for clients of other processes.
    """

    def __init__(self, primary: RedisServer, replica: RedisServer, sentinel: Sentinel, port: int) -> None:
        self.primary, self.replica, self.sentinel = primary, replica, sentinel
        self.sentinel_address = (_HOST, port)

    def client(self, **options: Any) -> redis.Redis:
        """A client of whichever server is the primary."""
        client: redis.Redis = self.sentinel.master_for(SENTINEL_NAME, **options)
        return client

    def wait_for_replica(self) -> None:
        """Wait until the replica has all that the primary has."""
        with self.primary.client() as primary, self.replica.client() as replica:
            wanted = primary.info("replication")["master_repl_offset"]
            until(lambda: replica.info("replication")["slave_repl_offset"] >= wanted, "the replica is behind")

    def wait_for_failover(self) -> None:
        """Wait until the Sentinel names the replica as the primary, and it takes writes."""

        def promoted() -> bool:
            try:
                _, port = self.sentinel.discover_master(SENTINEL_NAME)
            except MasterNotFoundError:
                return False
            with self.replica.client() as client:
                return bool(port == self.replica.port) and client.info("replication")["role"] == "master"

        until(promoted, "the Sentinel did not make the replica the primary")


@contextmanager
def sentinel_fleet(executable: str, directory: Path, **options: Any) -> Iterator[Fleet]:
    """Run a primary, a replica that is in step, and a Sentinel that knows both.

    :param options: of redis-py's connections, such as ``socket_timeout``.
    """
    with ExitStack() as stack:
        at_once: dict[str, Any] = {"repl_diskless_sync_delay": 0}
        primary = stack.enter_context(RedisServer(executable, directory / "primary", **at_once))
        replica = stack.enter_context(
            RedisServer(executable, directory / "replica", replicaof=(_HOST, primary.port), **at_once)
        )
        with primary.client() as client:
            until(lambda: client.info("replication")["connected_slaves"] == 1, "the replica did not connect")
        with replica.client() as client:
            until(lambda: client.info("replication")["master_link_status"] == "up", "the replica did not catch up")
        watcher = stack.enter_context(SentinelServer(executable, directory / "sentinel", primary))
        sentinel = Sentinel([(_HOST, watcher.port)], **options)
        stack.callback(sentinel.sentinels[0].close)
        until(lambda: sentinel.discover_slaves(SENTINEL_NAME), "the Sentinel did not find the replica")
        yield Fleet(primary, replica, sentinel, watcher.port)


@contextmanager
def cluster(executable: str, directory: Path) -> Iterator[list[RedisServer]]:
    """Run three primaries that share the slots."""
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(
                RedisServer(executable, directory / str(number), cluster_enabled="yes", cluster_node_timeout=2000)
            )
            for number in range(3)
        ]
        tool = str(Path(executable).with_name(Path(executable).name.replace("-server", "-cli")))
        addresses = [f"{_HOST}:{node.port}" for node in nodes]
        command = [tool, "--cluster", "create", *addresses, "--cluster-yes"]
        subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
        for node in nodes:
            with node.client() as client:
                until(lambda: _CLUSTER_OK.search(str(client.execute_command("CLUSTER", "INFO"))), "no cluster formed")
        yield nodes


def until(holds: Any, otherwise: str = "it did not happen") -> None:
    """Wait until something holds.

    :raises RuntimeError: it does not, within 20 seconds.
    """
    ends = time.monotonic() + _SECONDS
    while True:
        if holds():
            return
        if time.monotonic() > ends:
            raise RuntimeError(f"{otherwise} within {_SECONDS:.0f} s")
        time.sleep(0.02)
