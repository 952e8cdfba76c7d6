"""Whether memory or descriptors leak: `python -m edge_seg_bench.soak`."""

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.errors import BenchmarkError

if TYPE_CHECKING:
    from edge_seg_bench.endurance.soak_report import SoakReport

_OUTPUTS = ("events.jsonl", "shares.csv", "overlay.mp4", "overlays:o", "masks:m", "coco.json", "via.json")
_RULE = "pet > 1% for 1s"


def soak(
    *,
    frames: Annotated[int, typer.Option(min=100, help="Frames of the video the camera is given.")] = 200_000,
    interval_s: Annotated[float, typer.Option(min=0.05, help="Seconds between two samples.")] = 1.0,
    out: Annotated[
        Path | None, typer.Option(help="JSON file; Markdown and a plot go beside it.", show_default=False)
    ] = None,
) -> None:
    """Run `edge-seg camera` over a long video into every kind of output, with viewers, and watch what it holds.

    Outputs: lines, tables, video, pictures, annotations, collected frames, alerts, the live page with one viewer of
    the picture and one of the numbers. They take up to 9 kB a frame of the temporary folder while it runs.
    Exit code 1 when a target is missed: memory grows by 5 MB or more after the warm-up, or a descriptor leaks.

    Example:  python -m edge_seg_bench.soak --frames 2000 --interval-s 0.2
    """
    from edge_seg.extras import require_extra
    from edge_seg_bench.endurance.soak_report import plot_soak, report_markdown
    from edge_seg_bench.judging import record

    require_extra("web", purpose="the soak's live page")
    require_extra("report", purpose="the soak's plot")
    with tempfile.TemporaryDirectory(prefix="edge-seg-soak-") as folder:
        report = run_soak(Path(folder), frames, interval_s)
    if out is not None:
        plot_soak(out.with_suffix(".png"), report)
    record(report, report_markdown(report), out)


def run_soak(folder: Path, frames: int, interval_s: float) -> "SoakReport":
    """Run one soak in an empty folder.

    Raises:
        BenchmarkError: it ended too soon to tell anything.
    """
    from edge_seg_bench.endurance.camera import CameraProcess
    from edge_seg_bench.endurance.footage import write_footage
    from edge_seg_bench.endurance.processes import Sampler
    from edge_seg_bench.endurance.soak_report import make_report
    from edge_seg_bench.endurance.viewer import Viewer
    from edge_seg_bench.ports import free_port

    video, port = folder / "footage.mp4", free_port()
    typer.echo(f"writing a video of {frames:,} frames", err=True)
    write_footage(video, frames)
    typer.echo("the camera starts", err=True)
    with CameraProcess(_arguments(video, folder / "out", port), folder / "log.txt") as camera:
        sampler = Sampler(camera.pid, interval_s)
        viewers = [Viewer(port), Viewer(port, "/events")]
        exit_code = camera.wait()
        sampler.join()
        for viewer in viewers:
            viewer.close()
        said = camera.said()
    if len(sampler.samples) < 10:
        raise BenchmarkError(f"the camera ran too shortly to tell growth ({said.strip()[-300:]}); give more --frames")
    return make_report(
        sampler.samples,
        outputs=(*(output.partition(":")[0] for output in _OUTPUTS), "collected frames", "alerts", "live page"),
        frames_asked=frames,
        frames=_frames_segmented(said),
        exit_code=exit_code,
        viewer_bytes=[viewer.received_bytes for viewer in viewers],
    )


def _arguments(video: Path, out: Path, port: int) -> list[str]:
    """Return the camera's options: everything that may be kept for long, and files that change often."""
    outputs = [f"{kind}:{out / name}" if name else str(out / kind) for kind, _, name in map(_split, _OUTPUTS)]
    return [
        *("--source", str(video), "--rotate", "20s", "--serve", f"127.0.0.1:{port}"),
        *(part for output in outputs for part in ("--out", output)),
        *("--collect", str(out / "collected"), "--collect-every", "5s", "--collect-most", "50"),
        *("--alert", _RULE, "--alerts", str(out / "alerts")),
    ]


def _split(output: str) -> tuple[str, str, str]:
    return output.partition(":")


def _frames_segmented(said: str) -> int:
    """Return the frames that the camera's last line tells of."""
    found = re.search(r"^(\d+) frames in ", said, re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    typer.run(reporting(soak))
