"""Both transports take the proxy that requests would take."""

from __future__ import annotations

import os
from urllib.request import getproxies

import pytest
from requests.utils import get_environ_proxies, select_proxy

from azure_certvar_credential._http import environment_proxies
from azure_certvar_credential._transport.proxies import proxy_for

URL = "https://login.example/token"
A, B = "http://a.example:3128", "https://b.example:3128"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"HTTPS_PROXY": A},
    {"https_proxy": B},
    {"HTTP_PROXY": A},
    {"ALL_PROXY": A},
    {"ALL_PROXY": A, "HTTPS_PROXY": B},
    {"HTTPS_PROXY": A, "NO_PROXY": "login.example"},
    {"HTTPS_PROXY": A, "NO_PROXY": ".example, other"},
    {"HTTPS_PROXY": A, "NO_PROXY": "example"},
    {"HTTPS_PROXY": A, "no_proxy": "*"},
    {"HTTPS_PROXY": A, "NO_PROXY": "10.0.0.0/8"},
    {"HTTPS_PROXY": A, "NO_PROXY": "10.1.2.3"},
    {"HTTPS_PROXY": A, "NO_PROXY": "nonsense/8,elsewhere"},
]


@pytest.mark.parametrize("url", [URL, "https://10.1.2.3/token", "https://login.example:8443/token"])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_environment_counts_as_it_does_in_requests(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url, None, environment=True) == select_proxy(url, get_environ_proxies(url))
    assert proxy_for(url, None, environment=False) is None


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [
        ({"https": B}, B),
        ({"https": "b.example:3128"}, "http://b.example:3128"),
        ({"https://login.example": B, "https": A}, B),
        ({"all": B}, A),  # the environment names one for https
        ({"http": B}, A),
        ({"https": None}, None),
        ({"no_proxy": "login.example"}, None),
    ],
)
def test_the_option_overrides_the_environment(
    monkeypatch: pytest.MonkeyPatch, proxies: dict[str, str | None], expected: str | None
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", A)
    assert proxy_for(URL, proxies, environment=True) == expected


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "All_Proxy", "NO_PROXY", "PROXY", "MY_PROXY_URL"])
@pytest.mark.parametrize("value", ["", "localhost:3128"])
def test_the_environment_is_read_as_urllib_reads_it(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert environment_proxies() == getproxies()
