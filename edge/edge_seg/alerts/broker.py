"""An MQTT broker's address, `mqtt://user@host:1883/base/topic?discovery=homeassistant`.

mqtts:// is encrypted, its port 8883. The path is the base of all topics, `edge-seg/DEVICE` when left out.
`discovery` is the prefix Home Assistant listens to; `discovery=off` announces nothing.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote

from edge_seg.alerts.network import check_plaintext, parse_address, shown, tls_context
from edge_seg.alerts.slugs import slug
from edge_seg.errors import AlertError

_DISCOVERY_PREFIX = "homeassistant"
_LONGEST_TOPIC = 1000


@dataclass(frozen=True)
class Broker:
    """Where a broker is, and the topics to use there."""

    name: str
    """For messages; holds no secret."""
    host: str
    port: int
    tls: ssl.SSLContext | None
    user: str | None
    password: str | None
    base: str
    discovery: str | None
    """Home Assistant's prefix; None announces nothing."""


def parse_broker(
    uri: str,
    device: str,
    *,
    password: str | None = None,
    ca_file: Path | None = None,
    plaintext: bool = False,
) -> Broker:
    """Read a broker's address; see this module's docstring.

    Args:
        uri: mqtt:// or mqtts://; a password in it goes before `password`.
        device: the machine's name, for the topics.
        password: of the user.
        ca_file: certificates to trust beside the system's.
        plaintext: allow mqtt:// to public addresses.

    Raises:
        AlertError: no such address, or one that would send alerts in the clear.
    """
    parts = parse_address(uri, ("mqtt", "mqtts"))
    if "#" in uri:  # urlsplit would leave the rest away
        raise AlertError(f"{shown(parts)}: holds a #, which no topic does; write one in a password as %23")
    encrypted = parts.scheme == "mqtts"
    if not encrypted:
        check_plaintext(parts, allowed=plaintext, secure_scheme="mqtts")
    return Broker(
        name=shown(parts),
        host=parts.hostname or "",
        port=parts.port or (8883 if encrypted else 1883),
        tls=tls_context(ca_file) if encrypted else None,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else password,
        base=_topic(unquote(parts.path), parts) or f"edge-seg/{slug(device)}",
        discovery=_discovery(parts),
    )


def _discovery(parts: SplitResult) -> str | None:
    query = parse_qs(parts.query, keep_blank_values=True)
    value = query.pop("discovery", [_DISCOVERY_PREFIX])[-1]
    if query:
        raise AlertError(f"{shown(parts)}: knows no option '{next(iter(query))}'; the only one is ?discovery=PREFIX")
    return None if value in ("off", "") else _topic(value, parts)


def _topic(text: str, parts: SplitResult) -> str:
    topic = text.strip("/")
    if len(topic) > _LONGEST_TOPIC:
        raise AlertError(f"{shown(parts)}: its topic has {len(topic)} letters; give one of at most {_LONGEST_TOPIC}")
    if any(letter in "+#\0$" for letter in topic):
        raise AlertError(f"{shown(parts)}: a topic holds no + # or $, as '{topic}' does; give another")
    return topic
