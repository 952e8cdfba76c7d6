"""The options of `edge-seg camera` that say what to watch for and whom to tell."""

import os
import platform
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.errors import AlertError
from edge_seg.unicode_text import is_unicode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_seg.alerts.event import AlertEvent
    from edge_seg.alerts.outage import Report
    from edge_seg.alerts.session import Alerts, Listener
    from edge_seg.alerts.settings import AlertSettings
    from edge_seg.classes import SegmentationClass
    from edge_seg.sources import Source
    from edge_seg.telemetry import Telemetry

_PANEL = "Alerts"
_SNAPSHOT_OPACITY = 0.35  # what raised the alert is to be seen beneath the colours
DEFAULT_FOLDER = Path("alerts")

AlertOption = Annotated[
    list[str] | None,
    typer.Option(
        "--alert",
        metavar="RULE",
        rich_help_panel=_PANEL,
        help='What to watch for: "fire > 2% for 3s", and behind it: hysteresis 0.5%  cooldown 1m  in REGION  '
        'or  in (x,y x,y x,y). A name goes before: "low: water < 30%". May be given again.',
    ),
]
RegionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--region",
        metavar="NAME=x,y x,y x,y",
        rich_help_panel=_PANEL,
        help="A polygon that rules may name, in shares of width and height: pond=0.1,0.5 0.9,0.5 0.9,1 0.1,1",
    ),
]
AlertsFolderOption = Annotated[
    Path,
    typer.Option(
        "--alerts",
        rich_help_panel=_PANEL,
        help="Folder of alerts.jsonl, of the snapshots, and of what waits to be sent.",
    ),
]
MqttOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mqtt",
        metavar="URI",
        envvar="EDGE_SEG_MQTT",
        rich_help_panel=_PANEL,
        help="Broker for alerts, class shares and Home Assistant: mqtts://user@host/topic or mqtt://…; the password "
        "in EDGE_SEG_MQTT_PASSWORD.",
    ),
]
WebhookOption = Annotated[
    list[str] | None,
    typer.Option(
        "--webhook",
        metavar="URL",
        envvar="EDGE_SEG_WEBHOOK",
        rich_help_panel=_PANEL,
        help="Address that alerts are POSTed to as JSON; a bearer token in EDGE_SEG_WEBHOOK_TOKEN.",
    ),
]
WebhookPicturesOption = Annotated[
    bool,
    typer.Option("--webhook-pictures", rich_help_panel=_PANEL, help="Send the snapshots to webhooks, too."),
]
CommandOption = Annotated[
    list[str] | None,
    typer.Option(
        "--on-alert",
        metavar="COMMAND",
        rich_help_panel=_PANEL,
        help="Shell command run for each alert: JSON on its standard input, EDGE_SEG_ALERT, EDGE_SEG_EVENT, … in "
        "its environment.",
    ),
]
CaFileOption = Annotated[
    Path | None,
    typer.Option("--ca-file", rich_help_panel=_PANEL, help="PEM file of certificates to trust beside the system's."),
]
PlaintextOption = Annotated[
    bool,
    typer.Option("--plaintext", rich_help_panel=_PANEL, help="Allow mqtt:// and http:// to public addresses."),
]
DeviceNameOption = Annotated[
    str | None,
    typer.Option(
        "--device-name",
        rich_help_panel=_PANEL,
        help="What alerts, topics and the live page call this camera; the host's name, or the source's, when left out.",
    ),
]


def alert_settings(
    *,
    rules: list[str] | None,
    regions: list[str] | None,
    folder: Path,
    mqtt: list[str] | None,
    webhooks: list[str] | None,
    webhook_pictures: bool,
    commands: list[str] | None,
    ca_file: Path | None,
    plaintext: bool,
    device_name: str | None,
) -> "AlertSettings | None":
    """Return what the options and the environment ask for; None when that is nothing.

    Raises:
        AlertError: a rule, region or name that is none, or a receiver without anything to tell it.
    """
    if device_name and not is_unicode(device_name):
        raise AlertError(f"--device-name {device_name!a}: holds bytes that are no UTF-8; write it in UTF-8")
    if not (rules or regions or mqtt or webhooks or commands):
        return None
    if not rules and (regions or webhooks or commands):
        option = "--webhook" if webhooks else "--on-alert" if commands else "--region"
        raise AlertError(f'{option}: there is nothing to tell of; give a rule, as in  --alert "fire > 2% for 3s"')
    token = os.environ.get("EDGE_SEG_WEBHOOK_TOKEN")
    if token and webhooks and len(webhooks) > 1:
        raise AlertError(
            "EDGE_SEG_WEBHOOK_TOKEN is for one --webhook, and there are several; use user:password@ in them"
        )
    from edge_seg.alerts import parse_rules
    from edge_seg.alerts.settings import AlertSettings

    return AlertSettings(
        rules=parse_rules(rules or (), regions or ()),
        folder=folder,
        device=device_name or platform.node() or "camera",
        mqtt=tuple(mqtt or ()),
        mqtt_password=os.environ.get("EDGE_SEG_MQTT_PASSWORD"),
        webhooks=tuple(webhooks or ()),
        webhook_token=token,
        webhook_pictures=webhook_pictures,
        commands=tuple(commands or ()),
        ca_file=ca_file,
        plaintext=plaintext,
    )


@contextmanager
def opened_alerts(
    settings: "AlertSettings | None",
    source: "Source",
    classes: "Sequence[SegmentationClass]",
    report: "Report",
    telemetry: "Telemetry",
    *,
    period_s: float = 0.0,
) -> "Generator[Alerts | None]":
    """Open the alerts of one run, if there are settings; every event is reported.

    `period_s` is as Alerts takes it.
    """
    if settings is None:
        yield None
        return
    from edge_seg.alerts.session import Alerts
    from edge_seg.sinks import overlay_painter

    paint = overlay_painter(classes, _SNAPSHOT_OPACITY)
    told: list[Listener] = [lambda event: report(event_line(event))]
    with Alerts(settings, source, classes, paint, report, telemetry, told, period_s=period_s) as alerts:
        try:
            yield alerts
        finally:
            telemetry.end()


def event_line(event: "AlertEvent") -> str:
    """Return an event as a line for the terminal."""
    return f"alert {event.kind}: {event.alert} ({event.share:.1%} of {event.region or 'the picture'})"
