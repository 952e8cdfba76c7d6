"""`edge-seg doctor`: what this machine can do."""

import json
from typing import Any

import typer

from edge_seg.cli.options import JsonOption


def doctor(as_json: JsonOption = False) -> None:
    """Show what this machine can do: runtimes, OpenCV, cameras, temperature, installed extras.

    Example:  edge-seg doctor
    """
    findings = _findings()
    if as_json:
        typer.echo(json.dumps(findings, indent=2))
    else:
        _show(findings)


def _findings() -> dict[str, Any]:
    import cv2

    from edge_seg import __version__, machine
    from edge_seg.shipped import shipped_models
    from edge_seg.sinks.window import has_gui
    from edge_seg.sources.v4l2_devices import video_devices

    return {
        "edge-seg": __version__,
        **machine.python_and_system(),
        "runtimes": machine.runtime_versions(),
        "opencv": cv2.__version__,
        "opencv_windows": has_gui(),
        "cameras": [f"{device.path} ({device.name})" for device in video_devices() if device.captures],
        "temperature_c": machine.temperature_c(),
        "throttling": machine.throttling(),
        "extras": machine.extras_installed(),
        "models": [path.name for path in shipped_models()],
    }


def _show(findings: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in _rows(findings):
        table.add_row(key, value)
    Console(highlight=False, markup=False).print(table)


def _rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    temperature, throttled = found["temperature_c"], found["throttling"]
    windows = "with windows" if found["opencv_windows"] else "headless, no windows"
    return [
        *((key, found[key]) for key in ("edge-seg", "python", "system", "processor", "board")),
        *((f"runtime {name}", text or _missing(name)) for name, text in found["runtimes"].items()),
        ("opencv", f"{found['opencv']}, {windows}"),
        ("cameras", ", ".join(found["cameras"]) or "none (no /dev/video*)"),
        ("temperature", "not readable here" if temperature is None else f"{temperature:.1f} °C"),
        (
            "throttling",
            "not readable here" if throttled is None else ", ".join(throttled) or "none since boot",
        ),
        *((f"extra {name}", "installed" if there else _missing(name)) for name, there in found["extras"].items()),
        ("models", ", ".join(found["models"]) or "none ship with this installation"),
    ]


def _missing(extra: str) -> str:
    return f"not installed: pip install 'edge-seg[{extra.replace('_', '-')}]'"
