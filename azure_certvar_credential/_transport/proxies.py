"""Which proxy a request takes: by requests' rules for the sync and the async transport."""

from __future__ import annotations

from collections.abc import Mapping

from requests.utils import get_environ_proxies, prepend_scheme_if_needed, select_proxy


def proxy_for(url: str, proxies: Mapping[str, str | None] | None, *, environment: bool) -> str | None:
    """Return the URL of the proxy for a request, or None.

    aiohttp by itself ignores ALL_PROXY, networks in NO_PROXY, and proxies that are spoken to over TLS.

    :param url: where the request goes.
    :param proxies: the option ``proxies``; it overrides the environment.
    :param environment: whether HTTPS_PROXY, NO_PROXY and the like count.
    """
    given = dict(proxies or {})
    if environment:
        given = {**get_environ_proxies(url, no_proxy=given.get("no_proxy")), **given}
    proxy = select_proxy(url, {scheme: found for scheme, found in given.items() if found})
    return prepend_scheme_if_needed(proxy, "http") if proxy else None
