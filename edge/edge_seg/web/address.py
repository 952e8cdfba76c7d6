"""Where the live page is served, and the socket it listens on."""

import errno
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from edge_seg.errors import SinkError

DEFAULT_PORT = 8080
_BACKLOG = 64
_SEND_BUFFER_BYTES = 128 * 1024
_GIVE_UP_MS = 20_000


@dataclass(frozen=True)
class Address:
    """A host, as a name or an IP address without brackets, and a TCP port."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address for a browser."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/"

    @property
    def is_loopback(self) -> bool:
        """True when only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address:
    """Read '127.0.0.1:8080', '[::1]:8080', 'localhost', '8080' or 'http://127.0.0.1:8080'.

    Raises:
        SinkError: none of these.
    """
    bare = text.strip().removeprefix("http://").rstrip("/")
    try:
        if bare.isdecimal():
            return Address("127.0.0.1", _port(int(bare)))
        parts = urlsplit(f"//{bare}")
        if not parts.hostname or parts.path or parts.query or parts.username is not None:
            raise ValueError
        return Address(parts.hostname, DEFAULT_PORT if parts.port is None else parts.port)
    except ValueError:
        raise SinkError(
            f"{text!r} is no address to serve on; write 127.0.0.1:8080, [::1]:8080 or, for the whole network, "
            "0.0.0.0:8080"
        ) from None


def is_page(uri: str) -> bool:
    """True for an output 'http://HOST:PORT', which is a live page; with a path it is somebody else's address."""
    host = uri.removeprefix("http://")
    return host != uri and "/" not in host.rstrip("/")


def listen(address: Address) -> socket.socket:
    """Open a listening TCP socket whose connections neither hoard pictures nor hang on for ever.

    Raises:
        SinkError: the port is taken or not allowed, or the host is none of this machine's.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SinkError(_sentence(address, error)) from None
    try:
        _configure(listener)
        listener.bind(place)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise SinkError(_sentence(address, error)) from None
    return listener


def reachable_url(address: Address, port: int) -> str:
    """Return a URL to type into a browser; for 'all addresses' that of this machine in its network."""
    host = address.host
    if host in ("0.0.0.0", "::"):
        host = _own_address(socket.AF_INET if host == "0.0.0.0" else socket.AF_INET6) or socket.gethostname()
    return Address(host, port).url


def _configure(listener: socket.socket) -> None:
    """Set what accepted connections inherit on Linux."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # A small buffer: what waits in it is old before a slow viewer sees it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    # A viewer that reads nothing for so long is cut off by the kernel (tcp(7)).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GIVE_UP_MS)


def _own_address(family: socket.AddressFamily) -> str | None:
    """Return the address that packets to the world would leave from; none is sent."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1" if family == socket.AF_INET else "2001:db8::1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def _port(port: int) -> int:
    if not 0 <= port <= 65535:
        raise ValueError
    return port


def _sentence(address: Address, error: OSError) -> str:
    where = f"{address.host}:{address.port}"
    if isinstance(error, socket.gaierror):
        return f"{where}: '{address.host}' is no address of this machine; serve on 127.0.0.1 or 0.0.0.0"
    if error.errno == errno.EADDRINUSE:
        return f"{where}: the port is in use by another program; serve on another one"
    if error.errno == errno.EACCES:
        return f"{where}: ports below 1024 are for root; serve on one above, such as 8080"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{where}: is no address of this machine; serve on 127.0.0.1 or 0.0.0.0"
    return f"{where}: cannot be served on ({error.strerror or error}); serve on 127.0.0.1:8080"
