"""Which proxy a request takes: by requests' rules for the sync and the async transport.

aiohttp by itself ignores ALL_PROXY, networks in NO_PROXY, and proxies that are spoken to over TLS.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from azure_certvar_credential._http import environment_proxies


def proxy_for(url: str, proxies: Mapping[str, str | None] | None, *, environment: bool) -> str | None:
    """Return the URL of the proxy for a request, or None.

    :param url: where the request goes.
    :param proxies: the option ``proxies``; it overrides the environment.
    :param environment: whether HTTPS_PROXY, NO_PROXY and the like, or the system's settings, count.
    """
    given, parts = dict(proxies or {}), urlsplit(url)
    host = parts.hostname or ""
    # Once for each request: it reads every variable of the environment.
    found_there = environment_proxies() if environment else {}
    authority = parts.netloc.rpartition("@")[2]
    if found_there and not _bypassed(host, authority, given.get("no_proxy"), found_there):
        given = {**found_there, **given}
    keys = (f"{parts.scheme}://{host}", parts.scheme, f"all://{host}", "all")
    proxy = next((found for key in keys if (found := given.get(key))), None)
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


def _bypassed(host: str, authority: str, no_proxy: str | None, environment: Mapping[str, str]) -> bool:
    """Return whether a host is reached directly.

    :param no_proxy: hosts and networks, separated by commas, in the place of the environment's.
    :param environment: the proxies of the environment, or of the system's settings.
    """
    listed = no_proxy or environment.get("no", "")
    with suppress(ValueError):  # a name, which is in no network
        address = ip_address(host)
        if any(address in network for network in _networks(listed)):
            return True
    # Only where there are proxies: it takes long to import.
    from urllib.request import proxy_bypass, proxy_bypass_environment  # type: ignore[attr-defined]  # untyped

    if no_proxy:
        return bool(proxy_bypass_environment(authority, {"no": no_proxy}))
    return bool(proxy_bypass(authority))


def _networks(listed: str) -> list[IPv4Network | IPv6Network]:
    networks: list[IPv4Network | IPv6Network] = []
    for item in listed.split(","):
        if "/" in item:
            with suppress(ValueError):  # no network, so nothing is in it
                networks.append(ip_network(item.strip(), strict=False))
    return networks
