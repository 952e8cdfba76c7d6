"""The device's speed and memory figures: `python -m edge_seg_bench.device`."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.errors import BenchmarkError, EdgeSegError

if TYPE_CHECKING:
    from edge_seg_bench.device_figures import DeviceReport, Figure

_MEMORY_FRAMES = 50
_HELP_RUNS = 10
_FIRST_MASK_RUNS = 5


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    model: Path
    tutorial: Path | None
    wheel: Path | None
    frames: int
    rounds: int
    pictures: int
    many_pictures: int


def device(
    model: Annotated[
        Path | None, typer.Option(help="Device model; without it, the shipped one.", show_default=False)
    ] = None,
    *,
    tutorial: Annotated[
        Path | None, typer.Option(help="float32 .tflite of the tutorial's network.", show_default=False)
    ] = None,
    wheel: Annotated[Path | None, typer.Option(help="Wheel whose installation is sized.", show_default=False)] = None,
    frames: Annotated[int, typer.Option(min=2, help="Frames of the video, and runs of a bare block.")] = 600,
    rounds: Annotated[int, typer.Option(min=1, help="Pipeline runs of each kind.")] = 7,
    pictures: Annotated[
        int, typer.Option(min=64, help="Pictures of the folder that is run on one core and on all.")
    ] = 2000,
    many_pictures: Annotated[
        int, typer.Option(min=10, help="Pictures of the folder whose memory is measured.")
    ] = 100_000,
    out: Annotated[
        Path | None, typer.Option(help="JSON file; a Markdown file goes beside it.", show_default=False)
    ] = None,
) -> None:
    """Measure the device's speed and memory figures and hold them against their targets.

    Exit code 1 when a figure could not be measured; a target that is not met is a result.
    """
    from edge_seg.files import write_text
    from edge_seg.shipped import find_model
    from edge_seg_bench.device_figures import report_markdown
    from edge_seg_bench.rendering import machine_sentence

    plan = Plan(find_model(model), tutorial, wheel, frames, rounds, pictures, many_pictures)
    report = measure_device(plan, lambda what: typer.echo(f"measuring {what}", err=True))
    text = report_markdown(report, machine_sentence(report.machine))
    if out is not None:
        write_text(out, report.model_dump_json(indent=1) + "\n")
        write_text(out.with_suffix(".md"), text)
    typer.echo(text)
    if report.failures:
        raise BenchmarkError(f"{len(report.failures)} figures not measured; {report.failures[0]}")


def measure_device(plan: Plan, announce: Callable[[str], None]) -> "DeviceReport":
    """Measure every figure; one that fails becomes a sentence and does not stop the others."""
    from edge_seg_bench.device_figures import make_report
    from edge_seg_bench.machine import describe_machine

    machine = describe_machine()
    figures: list[Figure] = []
    failures: list[str] = []
    for name, measure in _measurements(plan):
        announce(name)
        try:
            with tempfile.TemporaryDirectory(prefix="edge-seg-bench-") as folder:
                figures += measure(plan, Path(folder))
        except EdgeSegError as error:
            failures.append(f"{name}: {error}")
    return make_report(machine, plan.model.name, figures, failures)


def _measurements(plan: Plan) -> "list[tuple[str, Callable[[Plan, Path], list[Figure]]]]":
    wanted: list[tuple[str, Callable[[Plan, Path], list[Figure]]]] = [
        ("the pipeline's overhead", _overhead),
        ("edge-seg run over a folder on one core and on all", _folder_speed),
        ("edge-seg run over very many pictures", _folder_memory),
        ("edge-seg --help", _help),
        ("the first mask", _first_mask),
        ("peak memory", _memory),
    ]
    if plan.wheel is not None:
        wanted.append(("the installation", _installation))
    if plan.tutorial is not None:
        wanted.append(("the tutorial's network", _tutorial))
    return wanted


def _overhead(plan: Plan, folder: Path) -> "list[Figure]":
    from edge_seg_bench.device_figures import Target, figure_of_samples
    from edge_seg_bench.device_pipeline import json_lines, measure_overhead, overlay_page, overlay_video

    kinds = {
        "JSON lines": (json_lines, 1.10),
        "JSON lines, and the overlay on the live page to one viewer": (overlay_page, 1.5),
        "overlay video": (overlay_video, 1.8),
    }
    opened = {kind: open_sinks for kind, (open_sinks, _) in kinds.items()}
    measured = measure_overhead(plan.model, folder, opened, frames=plan.frames, rounds=plan.rounds)
    how = f"{plan.rounds} × {plan.frames} frames 640×480, 1 thread; bare invoke {measured.bare_ms:.3g} ms"
    return [
        figure_of_samples(
            f"video in, {kind} out: wall time over bare invoke",
            "×",
            measured.ratios[kind],
            Target(bound="≤", value=most),
            how,
        )
        for kind, (_, most) in kinds.items()
    ]


def _folder_speed(plan: Plan, folder: Path) -> "list[Figure]":
    from edge_seg_bench.device_figures import Target, figure_of_samples
    from edge_seg_bench.device_folder import folder_speed_ups

    measured = folder_speed_ups(plan.model, folder, pictures=plan.pictures, rounds=plan.rounds)
    how = (
        f"{plan.rounds} × {plan.pictures} pictures 640×480 to masks, overlays and JSON lines; "
        f"one process {measured.one_s:.3g} s, {measured.cores} processes {measured.all_s:.3g} s, start included"
    )
    target = Target(bound="≥", value=0.9 * measured.cores)
    name = f"edge-seg run over a folder: times faster on {measured.cores} cores than on one"
    return [figure_of_samples(name, "×", measured.ratios, target, how)]


def _folder_memory(plan: Plan, folder: Path) -> "list[Figure]":
    from edge_seg_bench.device_figures import Target, figure_of_samples
    from edge_seg_bench.device_folder import folder_peak_rss_growth_bytes

    few = max(plan.many_pictures // 10, 1)
    growth = folder_peak_rss_growth_bytes(plan.model, folder, few=few, many=plan.many_pictures)
    how = f"VmHWM of the process that has the list, {plan.many_pictures:,} pictures over {few:,}"
    target = Target(bound="<", value=50)
    return [figure_of_samples("edge-seg run over a folder: growth of peak memory", "MB", [growth / 1e6], target, how)]


def _help(plan: Plan, folder: Path) -> "list[Figure]":
    from edge_seg_bench.device_figures import Target, figure_of_samples
    from edge_seg_bench.device_processes import help_seconds

    samples = [help_seconds() for _ in range(_HELP_RUNS)]
    target = Target(bound="<", value=0.35)
    return [figure_of_samples("edge-seg --help", "s", samples, target, f"{_HELP_RUNS} runs")]


def _first_mask(plan: Plan, folder: Path) -> "list[Figure]":
    from edge_seg_bench.device_figures import Target, figure_of_samples
    from edge_seg_bench.device_pipeline import write_photo
    from edge_seg_bench.device_processes import first_mask_seconds

    photo = folder / "photo.jpg"
    write_photo(photo)
    folders = [folder / f"masks{index}" for index in range(_FIRST_MASK_RUNS)]
    samples = [first_mask_seconds(plan.model, photo, masks) for masks in folders]
    how = f"{_FIRST_MASK_RUNS} starts of `edge-seg run photo.jpg`, until the mask file is there"
    return [figure_of_samples("start to first mask", "s", samples, Target(bound="<", value=1.5), how)]


def _memory(plan: Plan, folder: Path) -> "list[Figure]":
    from edge_seg_bench.device_figures import Target, figure_of_samples
    from edge_seg_bench.device_pipeline import write_video
    from edge_seg_bench.device_processes import device_peak_rss_bytes

    clip = folder / "clip.mp4"
    write_video(clip, _MEMORY_FRAMES)
    peak = device_peak_rss_bytes(plan.model, clip, folder / "out.jsonl")
    how = f"VmHWM of `edge-seg run` over {_MEMORY_FRAMES} frames"
    return [figure_of_samples("peak memory", "MB", [peak / 1e6], Target(bound="<", value=150), how)]


def _installation(plan: Plan, folder: Path) -> "list[Figure]":
    from edge_seg_bench.device_figures import Target, figure_of_samples
    from edge_seg_bench.device_processes import installed_bytes

    assert plan.wheel is not None
    size = installed_bytes(plan.wheel, folder / "venv")
    target = Target(bound="<", value=350)
    return [figure_of_samples("installation", "MB", [size / 1e6], target, "site-packages, pip itself not counted")]


def _tutorial(plan: Plan, folder: Path) -> "list[Figure]":
    from edge_seg_bench.device_figures import Figure, Target
    from edge_seg_bench.device_model import compare_models

    assert plan.tutorial is not None
    results = compare_models(plan.tutorial, plan.model)
    interval = results.comparisons[0].speedup
    medians = [row.measurement.latency.p50_ms for row in results.rows if row.measurement]
    target = Target(bound="≥", value=10)
    return [
        Figure(
            name="times faster than the tutorial's float32 network",
            unit="×",
            value=interval.ratio,
            low=interval.low,
            high=interval.high,
            mad=None,
            samples=(),
            target=target,
            met=target.is_met(interval.ratio),
            detail=f"medians {medians[0]:.3g} ms and {medians[1]:.3g} ms, own processes, interleaved",
        )
    ]


if __name__ == "__main__":
    typer.run(reporting(device))
