"""The result as Markdown: a table for each model, flicker and mIoU by motion and time constant."""

from edge_seg_bench.machine import busy_note
from edge_seg_bench.rendering import machine_sentence, markdown_table
from edge_seg_bench.smoothing.result import MotionResult, Scene, SmoothingReport, Viewing

_INTRODUCTION = (
    "`--smooth TIME` averages the scores where the picture stands still. The videos are windows that pan and zoom over "
    "real photographs and their masks: the motion, the sensor's noise (5 grey levels), the shake and the flicker of "
    "the light (2 %) are synthetic, the pictures and the truth are not. Flicker is the share of pixels that change "
    "class from one frame to the next though their true class does not; mIoU is that of all frames at 640×480. "
    "*Everywhere* is a plain moving average, which does not look for motion; it is no option of the camera."
)


def markdown(report: SmoothingReport) -> str:
    """Return smoothing.md."""
    video = report.video
    lines = ["# What smoothing does", "", _INTRODUCTION, ""]
    for scene in report.scenes:
        lines += [f"## {scene.model} on {scene.data}", "", *_table(scene), ""]
    lines += [f"{video.pictures} validation pictures, {video.frames} frames of each, {video.fps:g} a second.  "]
    note = busy_note(report.machine)
    return "\n".join([*lines, f"{machine_sentence(report.machine)}  ", *([f"Note: {note}"] if note else [])]) + "\n"


def _table(scene: Scene) -> list[str]:
    titles = ["camera", "`--smooth`", "flicker", "of that without", "mIoU", "change, points", "ms a frame"]
    return markdown_table(titles, [row for motion in scene.motions for row in _rows(motion)])


def _rows(motion: MotionResult) -> list[list[str]]:
    plain = motion.viewings[0]
    return [_cells(motion.name, viewing, plain) for viewing in motion.viewings]


def _cells(motion: str, viewing: Viewing, plain: Viewing) -> list[str]:
    is_plain = viewing is plain
    return [
        motion,
        _way_words(viewing),
        f"{viewing.flicker:.2%}",
        "–" if is_plain else f"{viewing.flicker / plain.flicker:.0%}" if plain.flicker else "–",
        f"{viewing.miou:.4f}",
        "–" if is_plain else f"{100 * (viewing.miou - plain.miou):+.2f}",
        "–" if viewing.cost_ms is None else f"{viewing.cost_ms:.2f}",
    ]


def _way_words(viewing: Viewing) -> str:
    if not viewing.time_constant_s:
        return "–"
    return f"{viewing.time_constant_s:g}s{', everywhere' if viewing.everywhere else ''}"
