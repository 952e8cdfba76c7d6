"""What a soak came to: the JSON schema, its Markdown and its plot."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edge_seg.files import atomic_path
from edge_seg_bench.endurance.processes import Sample, growth
from edge_seg_bench.machine import describe_machine
from edge_seg_bench.recording import Recorded
from edge_seg_bench.rendering import machine_sentence, markdown_table

MOST_RSS_GROWTH_MB = 5.0
MOST_DESCRIPTOR_GROWTH = 0.0
_MOST_POINTS = 2000


class SoakReport(Recorded):
    """The file that `python -m edge_seg_bench.soak` writes; growth is that after the warm-up."""

    outputs: tuple[str, ...]
    frames_asked: int
    frames: int
    seconds: float
    exit_code: int
    viewer_mb: tuple[float, ...]
    """What each viewer was sent."""
    rss_growth_mb: float
    descriptor_growth: float
    thread_growth: float
    peak_rss_mb: float
    samples: tuple[tuple[float, float, int, int], ...]
    """(seconds, RSS in MB, descriptors, threads), thinned."""

    @property
    def missed(self) -> tuple[str, ...]:
        """One sentence for each target that was missed."""
        checks = (
            (self.exit_code == 0, f"the camera ended with exit code {self.exit_code}"),
            (self.frames == self.frames_asked, f"{self.frames:,} of {self.frames_asked:,} frames were segmented"),
            (min(self.viewer_mb) > 0, "a viewer was sent nothing"),
            (self.rss_growth_mb < MOST_RSS_GROWTH_MB, f"memory grew by {self.rss_growth_mb:.1f} MB"),
            (self.descriptor_growth <= MOST_DESCRIPTOR_GROWTH, f"{self.descriptor_growth:g} descriptors leaked"),
        )
        return tuple(sentence for met, sentence in checks if not met)


def make_report(
    samples: Sequence[Sample],
    *,
    outputs: Sequence[str],
    frames_asked: int,
    frames: int,
    exit_code: int,
    viewer_bytes: Sequence[int],
) -> SoakReport:
    """Summarise the samples of one soak, ten at least."""
    thinned = samples[:: max(1, len(samples) // _MOST_POINTS)]
    return SoakReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        edge_seg_version=version("edge-seg"),
        machine=describe_machine(),
        outputs=tuple(outputs),
        frames_asked=frames_asked,
        frames=frames,
        seconds=samples[-1].seconds,
        exit_code=exit_code,
        viewer_mb=tuple(count / 1e6 for count in viewer_bytes),
        rss_growth_mb=growth([sample.rss_bytes / 1e6 for sample in samples]),
        descriptor_growth=growth([sample.descriptors for sample in samples]),
        thread_growth=growth([sample.threads for sample in samples]),
        peak_rss_mb=max(sample.rss_bytes for sample in samples) / 1e6,
        samples=tuple((round(s.seconds, 2), round(s.rss_bytes / 1e6, 3), s.descriptors, s.threads) for s in thinned),
    )


def report_markdown(report: SoakReport) -> str:
    """Return the report as Markdown."""
    rows = [
        ("frames", f"{report.frames:,}", f"{report.frames_asked:,}"),
        ("time", f"{report.seconds / 60:.1f} min, {report.frames / max(report.seconds, 1):.0f} frames a second", "–"),
        ("growth of memory (RSS) after the warm-up", f"{report.rss_growth_mb:+.2f} MB", f"< {MOST_RSS_GROWTH_MB:g} MB"),
        ("growth of open descriptors", f"{report.descriptor_growth:+g}", f"≤ {MOST_DESCRIPTOR_GROWTH:g}"),
        ("growth of threads", f"{report.thread_growth:+g}", "–"),
        ("peak memory", f"{report.peak_rss_mb:.0f} MB", "–"),
        ("sent to the viewers", f"{sum(report.viewer_mb):.1f} MB", "> 0 each"),
        ("exit code", str(report.exit_code), "0"),
    ]
    verdict = [f"- **missed**: {sentence}" for sentence in report.missed] or ["Every target was met."]
    lines = [
        "# A soak of the camera",
        "",
        f"{machine_sentence(report.machine)}.  ",
        f"edge-seg {report.edge_seg_version}, {report.created}; outputs: {', '.join(report.outputs)}.  ",
        "Growth: median of the last tenth of the samples less that of the second tenth.",
        "",
        *markdown_table(("", "measured", "target"), rows, left=1),
        "",
        *verdict,
    ]
    return "\n".join(lines) + "\n"


def plot_soak(path: Path, report: SoakReport) -> None:
    """Plot memory, descriptors and threads over time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    minutes = [seconds / 60 for seconds, *_ in report.samples]
    figure: Any = Figure(figsize=(9, 5), layout="constrained")
    FigureCanvasAgg(figure)
    memory, counts = figure.subplots(2, sharex=True, height_ratios=(2, 1))
    memory.plot(minutes, [sample[1] for sample in report.samples], color="#0072B2", linewidth=1)
    memory.set_ylabel("memory (RSS), MB")
    memory.set_ylim(0, report.peak_rss_mb * 1.15)
    memory.set_title(
        f"{report.frames:,} frames: memory {report.rss_growth_mb:+.2f} MB, "
        f"descriptors {report.descriptor_growth:+g} after the warm-up",
        loc="left",
    )
    counts.step(minutes, [sample[2] for sample in report.samples], color="#D55E00", label="descriptors", linewidth=1)
    counts.step(minutes, [sample[3] for sample in report.samples], color="#009E73", label="threads", linewidth=1)
    counts.set_ylim(bottom=0)
    counts.set_xlabel("minutes")
    counts.legend(frameon=False, ncols=2, loc="lower right")
    for axes in (memory, counts):
        axes.axvspan(0, minutes[-1] / 10, color="#EEEEEE", zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
    memory.annotate("warm-up", (minutes[-1] / 20, report.peak_rss_mb * 0.06), ha="center", color="#777777")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130)
