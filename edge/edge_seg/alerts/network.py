"""What the receivers on the network share: addresses without secrets, certificates, plain sentences."""

import errno
import ipaddress
import re
import socket
import ssl
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from edge_seg.errors import AlertError

_BARE_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_OTHER_NAME, _OTHER_ADDRESS = 62, 64  # X509_V_ERR_HOSTNAME_MISMATCH and …_IP_ADDRESS_MISMATCH of OpenSSL
_LOCAL_SUFFIXES = (".local", ".lan", ".home", ".internal", ".home.arpa", ".localdomain")


def parse_address(url: str, schemes: tuple[str, ...]) -> SplitResult:
    """Split a URL of one of `schemes`.

    Raises:
        AlertError: it is none; the sentence holds no secret.
    """
    form = f"{schemes[-1]}://host/…"
    if _BARE_HOST.fullmatch(url):
        raise AlertError(f"{url}: is no address by {' or '.join(schemes)}; write it as {schemes[-1]}://{url}")
    try:
        parts = urlsplit(url)
        _ = parts.port
        url.encode()
    except ValueError:  # its text may hold the beginning of a password
        raise AlertError(
            f"'{schemes[-1]}://…' is no address, its host or port cannot be told; write it as {form}, and / ? # @ of a "
            "password as %2F %3F %23 %40"
        ) from None
    if parts.scheme not in schemes or not parts.hostname or any(ord(letter) <= 32 for letter in url):
        raise AlertError(f"{shown(parts)}: is no address by {' or '.join(schemes)}; write it as {form}")
    return parts


def shown(parts: SplitResult) -> str:
    """Return an address for messages: scheme, host and port, without user, password, path and query."""
    host = parts.hostname or "?"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def check_plaintext(parts: SplitResult, *, allowed: bool, secure_scheme: str, doing: str = "send alerts") -> None:
    """Raise AlertError for an unencrypted address outside of the own network, unless that is allowed."""
    if allowed or is_local(parts.hostname or ""):
        return
    raise AlertError(
        f"{shown(parts)}: would {doing} unencrypted over a public network; give {secure_scheme}://, or allow "
        "it with --plaintext"
    )


def is_local(host: str) -> bool:
    """Whether a host is this machine or, by its address or name, one of the own network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.lower().rstrip(".").endswith(_LOCAL_SUFFIXES)
    return address.is_private or address.is_loopback or address.is_link_local


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that checks certificates, against those in `ca_file` too.

    Raises:
        AlertError: the file holds no certificate.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise AlertError(
                f"{ca_file}: cannot be read as certificates ({error.strerror or error}); give a PEM file"
            ) from None
    return context


def why(error: BaseException) -> str:
    """Say in a few words why a connection failed, and the cure where there is one."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _why_untrusted(error)
    if isinstance(error, ssl.SSLError):
        return f"the encrypted connection fails ({error.reason or error}): check port and scheme"
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, socket.gaierror):
        return f"the name cannot be resolved ({error.strerror})"
    if isinstance(error, OSError) and error.errno is not None:
        return _PLAIN.get(error.errno, error.strerror or str(error))
    return str(error) or type(error).__name__


def _why_untrusted(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in (_OTHER_NAME, _OTHER_ADDRESS):
        return f"its certificate is for another name ({error.verify_message}): use the name in the certificate"
    cure = "give its authority's with --ca-file, or check the clock"
    return f"its certificate is not trusted ({error.verify_message}): {cure}"


_PLAIN = {
    errno.ECONNREFUSED: "refuses the connection",
    errno.ECONNRESET: "hangs up",
    errno.EPIPE: "hangs up",
    errno.ENETUNREACH: "the network is unreachable",
    errno.EHOSTUNREACH: "the host is unreachable",
}
