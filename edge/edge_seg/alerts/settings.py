"""What a user asks of alerts."""

from dataclasses import dataclass
from pathlib import Path

from edge_seg.alerts.rule import Rule
from edge_seg.alerts.snapshots import MOST_SNAPSHOTS


@dataclass(frozen=True)
class AlertSettings:
    """What to watch for and whom to tell."""

    rules: tuple[Rule, ...]
    folder: Path
    """Where alerts.jsonl, the snapshots and what waits to be sent are."""
    device: str
    """The machine's name, in events and topics."""
    mqtt: tuple[str, ...] = ()
    """Addresses, see `edge_seg.alerts.broker`."""
    mqtt_password: str | None = None
    webhooks: tuple[str, ...] = ()
    webhook_token: str | None = None
    webhook_pictures: bool = False
    commands: tuple[str, ...] = ()
    ca_file: Path | None = None
    """Certificates to trust beside the system's."""
    plaintext: bool = False
    """Allow http:// and mqtt:// to public addresses."""
    most_snapshots: int = MOST_SNAPSHOTS
