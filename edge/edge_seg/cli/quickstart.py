"""`edge-seg quickstart`: runs the road's commands one after the other and writes the report."""

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from edge_seg.errors import EdgeSegError
from edge_seg.extras import require_extra

if TYPE_CHECKING:
    from edge_seg.quickstart.report import FinishedStep
    from edge_seg.quickstart.road import Step


def quickstart(
    out: Annotated[Path, typer.Option(help="Folder to make.")] = Path("edge-seg-quickstart"),
) -> None:
    """Walk the whole road on generated data, offline: data, training, conversion, masks, benchmark, report.

    Example:  edge-seg quickstart --out first-try
    """
    require_extra("quickstart", purpose="the quickstart")
    from edge_seg.quickstart.report import write_report
    from edge_seg.quickstart.road import Places, steps

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise EdgeSegError(f"{out}: exists already; name another folder with --out or remove it first")
    places, console = Places(out), Console()
    out.mkdir(parents=True, exist_ok=True)
    _write_photograph(places.photograph)
    road = steps(places)
    finished = [_walk(step, f"{number}/{len(road)}", console) for number, step in enumerate(road, start=1)]
    write_report(places, finished)
    _print_ending(console, places.report, sum(item.seconds for item in finished))


def _write_photograph(path: Path) -> None:
    """Copy out the photograph of a cat that scikit-image carries (CC0)."""
    from importlib import import_module

    from edge_seg.images import write_image

    write_image(path, import_module("skimage.data").chelsea())


def _walk(step: "Step", number: str, console: Console) -> "FinishedStep":
    """Run one command in a process of its own: TensorFlow and the runtime never share one."""
    from edge_seg.quickstart.report import FinishedStep

    console.print(f"\n[bold cyan]{number}[/] [bold]{step.title}[/]")
    console.print(f"    {step.line}", style="dim", soft_wrap=True, highlight=False)
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "edge_seg.cli", *step.command], check=False)
    if done.returncode:
        raise EdgeSegError(f"the quickstart stopped at  {step.line}  (exit code {done.returncode}); see above")
    return FinishedStep(step, time.monotonic() - began)


def _print_ending(console: Console, report: Path, seconds: float) -> None:
    console.print(f"\n[bold green]done[/] in {seconds:.0f} s", highlight=False)
    console.print(f"report  {report.resolve()}", soft_wrap=True, highlight=False)
    console.print("next    edge-seg camera        (or  edge-seg run photos/ --out overlays/)", highlight=False)
