"""What the page and /state.json are told, as JSON values."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from edge_seg import __version__
from edge_seg.classes import SegmentationClass
from edge_seg.telemetry import State, Telemetry


def hello_message(
    title: str, classes: Sequence[SegmentationClass], opacity: float, telemetry: Telemetry
) -> dict[str, Any]:
    """Return what does not change during a run, and the shares of the last ten minutes."""
    return {
        "version": __version__,
        "title": title,
        "opacity": opacity,
        "classes": [
            {"id": item.id, "name": item.name, "colour": item.colour, "background": item.is_background}
            for item in classes
        ],
        "history": [[round(time, 1), *(round(share, 4) for share in shares)] for time, shares in telemetry.history()],
    }


def state_message(state: State, viewers: int) -> dict[str, Any]:
    """Return how the run stands; the keys are those of `State`, with `viewers`."""
    message = asdict(state)
    message["shares"] = {name: round(share, 5) for name, share in state.shares.items()}
    for key in ("uptime_s", "fps", "age_ms", "preprocess_ms", "invoke_ms", "postprocess_ms"):
        message[key] = round(message[key], 2)
    return {**message, "viewers": viewers}
