"""SOCKS proxies: the sync transport keeps to the deadline with them, and the async one has none."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from azure_certvar_credential.exceptions import AcquisitionTimeoutError, ConfigurationError
from tests.transport.raw_server import Kind, dripping, get_token, raw_server


def socks(connection: Any) -> None:
    """Accept a user (RFC 1929), and answer the request with a name of 255 octets, now and then one (RFC 1928)."""
    connection.recv(300)
    connection.sendall(b"\x05\x02")
    connection.recv(600)
    connection.sendall(b"\x01\x00")
    connection.recv(300)
    dripping(b"\x05\x00\x00\x03\xff", b"a")(connection)


@pytest.mark.parametrize("kind", ["sync", "sync, outside of the main thread"])
def test_a_socks_proxy_whose_answer_takes_long_is_given_up_at_the_deadline(kind: Kind) -> None:
    with raw_server(socks, handshake=False) as proxy:
        proxies = {"https": proxy.authority.replace("https://", "socks5h://user:password@")}
        began = time.monotonic()
        with pytest.raises(AcquisitionTimeoutError):
            get_token(kind, "https://login.example", timeout=0.6, proxies=proxies)
        assert time.monotonic() - began < 3


def test_a_socks_proxy_of_the_environment_is_not_spoken_to_in_http(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(socks, handshake=False) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.authority.replace("https://", "socks5h://user:password@"))
        with pytest.raises(ConfigurationError, match="no HTTP proxy, and aiohttp has no other") as caught:
            get_token("aio", "https://login.example", use_env_settings=True)
        assert proxy.connections == 0
    assert "password" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:SOCKS support in urllib3")
def test_a_socks_proxy_of_the_environment_without_pysocks_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socks", None)
    monkeypatch.delitem(sys.modules, "urllib3.contrib.socks", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "socks5h://user:password@127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="pip install PySocks") as caught:
        get_token("sync", "https://login.example", use_env_settings=True)
    assert "password" not in str(caught.value)
