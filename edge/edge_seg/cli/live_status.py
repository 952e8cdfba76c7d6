"""How a live run stands, on the terminal: one line that changes, or a line now and then in a log."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from edge_seg.runtimes.quiet import loud_stderr

if TYPE_CHECKING:
    from rich.text import Text

    from edge_seg.pipeline import OnResult
    from edge_seg.result import Result

_LINE_EVERY_S = 5.0
_LIVE_LINE_EVERY_S = 0.25
_SHOWN_CLASSES = 4


def tell(sentence: str) -> None:
    """Say what a user who is there should know, on stderr; above the live line while there is one."""
    stderr = sys.stderr  # which rich stands in for then; typer.echo would write past it
    with loud_stderr():
        stderr.write(f"{typer.style(sentence, fg=typer.colors.YELLOW) if stderr.isatty() else sentence}\n")
        stderr.flush()


def told(listener: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that says a sentence and passes it on to `listener`."""

    def say(sentence: str) -> None:
        tell(sentence)
        listener(sentence)

    return say


@contextmanager
def live_status() -> "Generator[OnResult]":
    """Give a function that shows how the run stands: a live line on a terminal, else a line now and then."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _now_and_then(_LINE_EVERY_S, lambda result: typer.echo(status_line(result), err=True))
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield _now_and_then(
            _LIVE_LINE_EVERY_S,
            lambda result: live.update(live_line(result)),
        )


def live_line(result: "Result") -> "Text":
    """Return the line that changes, which stays one on a narrow terminal."""
    from rich.text import Text

    return Text(f"{status_line(result)}   q ends", no_wrap=True, overflow="ellipsis")


def status_line(result: "Result") -> str:
    """Return rate, latency, age, drops and the largest class shares in one line."""
    segmentation = result.segmentation
    largest = sorted(segmentation.area_share.items(), key=lambda item: -item[1])[:_SHOWN_CLASSES]
    shares = "  ".join(f"{name} {share:.1%}" for name, share in largest if share > 0)
    age = f"  age {result.age_ms:4.0f} ms" if result.age_ms > 0 else ""
    return f"{result.fps:5.1f} fps  {segmentation.latency_ms:6.1f} ms{age}  {result.dropped} dropped  |  {shares}"


def _now_and_then(every_s: float, show: "OnResult") -> "OnResult":
    """Show a result at once, and then one every so often: the words take time that the frames want."""
    due = time.monotonic()

    def shown_when_due(result: "Result") -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + every_s
            show(result)

    return shown_when_due
