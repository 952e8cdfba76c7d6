"""The pictures of alerts: JPEG files of the frame with the classes drawn over it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from edge_seg.alerts.event import AlertEvent
from edge_seg.alerts.region import outline_region
from edge_seg.alerts.rule import Rule
from edge_seg.alerts.slugs import slug
from edge_seg.files import write_bytes
from edge_seg.hud import HudRow, draw_hud
from edge_seg.images import RgbImage, encode_jpeg
from edge_seg.result import Result
from edge_seg.sinks.sink import Painter

MOST_SNAPSHOTS = 5_000
"""Files kept, about 400 MB at 640×480; the oldest go."""

_JPEG_QUALITY = 88


class Snapshots:
    """Writes `folder/snapshots/TIME-ALERT-EVENT-ID.jpg` and keeps the newest. Belongs to one thread.

    Each says what it shows, and has the outline of its rule's region.
    """

    def __init__(self, folder: Path, paint: Painter, rules: Sequence[Rule], most: int = MOST_SNAPSHOTS) -> None:
        self._folder, self._paint, self._most = folder, paint, most
        self._regions = {rule.title: rule.region for rule in rules if rule.region}
        self._names: list[str] | None = None

    def write(self, event: AlertEvent, result: Result) -> str:
        """Write one picture, whole or not at all; return its path relative to the folder.

        Raises:
            OSError: it cannot be written.
        """
        name = snapshot_name(event)
        write_bytes(self._folder / "snapshots" / name, encode_jpeg(self._picture(event, result), _JPEG_QUALITY))
        self._keep_newest(name)
        return f"snapshots/{name}"

    def _picture(self, event: AlertEvent, result: Result) -> RgbImage:
        picture = self._paint(result)
        if event.alert in self._regions:
            outline_region(picture, self._regions[event.alert])
        when = datetime.fromtimestamp(event.time).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
        return draw_hud(picture, [HudRow(f"{event.alert}: {event.kind} at {event.share:.1%}"), HudRow(when)])

    def _keep_newest(self, name: str) -> None:
        if self._names is None:
            self._names = sorted(path.name for path in (self._folder / "snapshots").glob("*.jpg"))
        else:
            self._names.append(name)
        while len(self._names) > self._most:
            (self._folder / "snapshots" / self._names.pop(0)).unlink(missing_ok=True)


def snapshot_name(event: AlertEvent) -> str:
    """Return a file name that sorts by time and holds no character of the rule's that a file system minds."""
    time = datetime.fromtimestamp(event.time, UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3]
    return f"{time}Z-{slug(event.alert)[:40]}-{event.kind}-{event.id[:8]}.jpg"
