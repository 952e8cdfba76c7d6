"""Speed and memory of the data commands on large sets: `python -m edge_seg_bench.datasets`."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from edge_seg.cli.reporting import reporting
from edge_seg.errors import BenchmarkError

WIDTH, HEIGHT = 640, 480
REGIONS, POINTS = 20, 16
TARGET_SECONDS = 60
_SAMPLING_SECONDS = 0.05


@dataclass(frozen=True)
class Measured:
    """One command on one set; memory is that of all its processes together."""

    command: str
    pictures: int
    seconds: float
    peak_rss_bytes: int


def datasets(
    *,
    counts: Annotated[str, typer.Option(help="Sizes of the sets.")] = "500,5000",
    out: Annotated[
        Path | None, typer.Option(help="JSON file; a Markdown file goes beside it.", show_default=False)
    ] = None,
) -> None:
    """Measure import, check and split on generated pictures of 640×480 with 20 polygons each."""
    from edge_seg.files import write_text
    from edge_seg_bench.machine import describe_machine
    from edge_seg_bench.rendering import machine_sentence

    machine = describe_machine()
    rows = [row for count in counts.split(",") for row in measure_set(int(count))]
    text = markdown(rows, machine_sentence(machine))
    if out is not None:
        content = {"machine": machine.model_dump(mode="json"), "rows": [asdict(row) for row in rows]}
        write_text(out, json.dumps(content, indent=1) + "\n")
        write_text(out.with_suffix(".md"), text)
    typer.echo(text)


def measure_set(count: int) -> list[Measured]:
    """Generate a set of `count` pictures and measure each command on it."""
    program = [sys.executable, "-m", "edge_seg.cli", "data"]
    with tempfile.TemporaryDirectory(prefix="edge-seg-bench-") as name:
        folder = Path(name)
        typer.echo(f"generating {count} pictures", err=True)
        generate(folder / "photos", count)
        commands = {
            "import via": ["import", "via", str(folder / "photos" / "via.json"), "--out", str(folder / "data")],
            "check": ["check", str(folder / "data")],
            "split": ["split", str(folder / "data")],
        }
        rows: list[Measured] = []
        for title, words in commands.items():
            typer.echo(f"measuring data {title} on {count} pictures", err=True)
            seconds, peak = run_measured([*program, *words])
            rows.append(Measured(f"data {title}", count, round(seconds, 2), peak))
        return rows


def generate(folder: Path, count: int) -> None:
    """Write `count` textured JPEG pictures and one VIA export with 20 star-shaped polygons for each."""
    import numpy as np

    folder.mkdir()
    rng = np.random.default_rng(0)
    entries: dict[str, object] = {}
    for number in range(count):
        coarse = rng.integers(0, 255, (12, 16, 3), np.uint8)
        picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        regions = [_polygon(rng) for _ in range(REGIONS)]
        for region in regions:
            points = np.array([region["all_points_x"], region["all_points_y"]], np.int32).T
            cv2.fillPoly(picture, [points], rng.integers(0, 255, 3).tolist())
        name = f"photo_{number:05d}.jpg"
        cv2.imwrite(str(folder / name), picture)
        entries[name] = {
            "filename": name,
            "size": -1,
            "regions": [
                {"shape_attributes": region, "region_attributes": {"class": f"kind_{index % 3}"}}
                for index, region in enumerate(regions)
            ],
            "file_attributes": {},
        }
    (folder / "via.json").write_text(json.dumps(entries), encoding="utf-8")


def _polygon(rng: np.random.Generator) -> dict[str, str | list[int]]:
    angles = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    radii = rng.uniform(15, 60, POINTS)
    x, y = rng.uniform(60, WIDTH - 60), rng.uniform(60, HEIGHT - 60)
    return {
        "name": "polygon",
        "all_points_x": np.rint(x + radii * np.cos(angles)).astype(int).tolist(),
        "all_points_y": np.rint(y + radii * np.sin(angles)).astype(int).tolist(),
    }


def run_measured(command: Sequence[str]) -> tuple[float, int]:
    """Run a command; return its seconds and the largest sum of its processes' resident memory in bytes.

    Raises:
        BenchmarkError: the command found no way to finish. Exit code 1 of `check` is an answer.
    """
    peak = 0
    started = time.perf_counter()
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors) as process,
    ):
        while process.poll() is None:
            peak = max(peak, tree_rss_bytes(process.pid))
            time.sleep(_SAMPLING_SECONDS)
        seconds = time.perf_counter() - started
        if process.returncode and "check" not in command:
            errors.seek(0)
            raise BenchmarkError(f"{' '.join(command[2:])} failed: {errors.read().decode()[-300:]}")
    return seconds, peak


def tree_rss_bytes(pid: int) -> int:
    """Return the resident memory of a process and all below it, in bytes; what has ended counts 0."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    except OSError:
        return 0
    own = next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:")), 0)
    return own + sum(tree_rss_bytes(int(child)) for child in children)


def markdown(rows: Sequence[Measured], machine: str) -> str:
    """Return the figures as a Markdown page."""
    lines = [
        "# The data commands on large sets",
        "",
        f"{WIDTH}×{HEIGHT} JPEG pictures with {REGIONS} polygons of {POINTS} points each. {machine}",
        "Memory is the largest sum over all processes of a command.",
        "",
        "| command | pictures | seconds | pictures a second | peak memory |",
        "|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| `{row.command}` | {row.pictures} | {row.seconds:.1f} | {row.pictures / row.seconds:.0f} "
        f"| {row.peak_rss_bytes / 1e6:.0f} MB |"
        for row in rows
    ]
    return "\n".join([*lines, "", f"Target: {TARGET_SECONDS} s for 5,000 pictures, on 2 cores.", ""])


if __name__ == "__main__":
    typer.run(reporting(datasets))
