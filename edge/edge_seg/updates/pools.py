"""urllib3's connections for one request: over the environment's proxies, and under the watchdog's eyes."""

import ssl
import urllib.request
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from edge_seg.alerts.network import parse_address
from edge_seg.errors import AlertError, UpdateError
from edge_seg.updates.limits import Limits
from edge_seg.updates.watchdog import Watchdog


def pools(url: str, watchdog: Watchdog, context: ssl.SSLContext, limits: Limits) -> urllib3.PoolManager:
    """Return what opens `url`; its connections tell the watchdog of themselves.

    Proxies are those of http_proxy, https_proxy, all_proxy and no_proxy.

    Raises:
        UpdateError: such a proxy has no address by HTTP.
    """
    timeout = urllib3.Timeout(connect=limits.connect_s, read=limits.silence_s)
    proxy = _proxy(url)
    if proxy is None:
        opener = urllib3.PoolManager(ssl_context=context, timeout=timeout)
    else:
        opener = urllib3.ProxyManager(
            proxy,
            proxy_headers=_proxy_headers(proxy),
            proxy_ssl_context=context,
            ssl_context=context,
            timeout=timeout,
        )
    opener.pool_classes_by_scheme = _watched(watchdog)
    return opener


def _proxy(url: str) -> str | None:
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy is None:
        return None
    try:
        parse_address(proxy, ("https", "http"))
    except AlertError:
        raise UpdateError(
            f"the environment's proxy for {parts.scheme} is no address by http or https; write it as http://host:port, "
            "or leave it away with no_proxy"
        ) from None
    return proxy


def _proxy_headers(proxy: str) -> dict[str, str]:
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    return urllib3.make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")


def _watched(watchdog: Watchdog) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            watchdog.connected(self.sock)

    class Encrypted(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            watchdog.connected(self.sock)

    # urllib3's own classes do not keep the protocol that it declares for them.
    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain  # pyright: ignore[reportAssignmentType]

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted  # pyright: ignore[reportAssignmentType]

    return {"http": PlainPool, "https": EncryptedPool}
