"""What a run of faults came to: the JSON schema and its Markdown."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from pydantic import BaseModel, ConfigDict

from edge_seg_bench.machine import describe_machine
from edge_seg_bench.recording import Recorded
from edge_seg_bench.rendering import machine_sentence, markdown_table

MOST_SECONDS_TO_END = 2.0


class FaultResult(BaseModel):
    """One fault, or two at a time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: tuple[str, ...]
    at_s: float
    lasts_s: float
    back_after_s: float | None
    """From the fault's end until all went on; None when it did not within the bound."""
    frames_meanwhile: int
    """Frames that went through the model while it lasted."""


class FaultReport(Recorded):
    """The file that `python -m edge_seg_bench.faults` writes."""

    seed: int
    minutes: float
    left_out: tuple[str, ...]
    faults: tuple[FaultResult, ...]
    frames: int
    times_shown: int
    """How often the object was shown, and taken away again."""
    events: dict[str, int]
    """How many different events each receiver has."""
    lost: dict[str, int]
    """How many events each receiver lacks of those that any of them has."""
    raised: int
    cleared: int
    exit_code: int
    seconds_to_end: float
    tracebacks: int
    broken_files: tuple[str, ...]

    @property
    def missed(self) -> tuple[str, ...]:
        """One sentence for each target that was missed."""
        stuck = [" and ".join(fault.names) for fault in self.faults if fault.back_after_s is None]
        lost = [f"{receiver} lost {count} events" for receiver, count in self.lost.items() if count]
        alerts = (
            f"{self.times_shown} times the object came, and {self.raised} alerts were raised, {self.cleared} cleared"
        )
        checks = (
            (not stuck, f"nothing went on after: {', '.join(stuck)}"),
            (not lost, ", ".join(lost)),
            (self.raised == self.cleared == self.times_shown, alerts),
            (self.exit_code == 0, f"the camera ended with exit code {self.exit_code}"),
            (self.tracebacks == 0, f"{self.tracebacks} tracebacks on stderr"),
            (self.seconds_to_end < MOST_SECONDS_TO_END, f"it took {self.seconds_to_end:.1f} s to end"),
            (not self.broken_files, "; ".join(self.broken_files)),
        )
        return tuple(sentence for met, sentence in checks if not met)


def sign(seed: int, minutes: float) -> Mapping[str, object]:
    """Return the fields that say where and when a report was made."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "edge_seg_version": version("edge-seg"),
        "machine": describe_machine(),
        "seed": seed,
        "minutes": minutes,
    }


def report_markdown(report: FaultReport) -> str:
    """Return the report as Markdown."""
    events = ", ".join(f"{receiver} {count}" for receiver, count in report.events.items())
    lost = ", ".join(f"{receiver} {count}" for receiver, count in report.lost.items())
    summary = [
        ("faults", str(len(report.faults)), "–"),
        ("frames", f"{report.frames:,}", "–"),
        ("object shown; alerts raised, cleared", f"{report.times_shown}; {report.raised}, {report.cleared}", "equal"),
        ("events received", events, "–"),
        ("events lost", lost, "none"),
        ("tracebacks", str(report.tracebacks), "0"),
        ("SIGTERM to the end", f"{report.seconds_to_end:.2f} s", f"< {MOST_SECONDS_TO_END:g} s"),
        ("broken files", str(len(report.broken_files)), "0"),
        ("exit code", str(report.exit_code), "0"),
    ]
    verdict = [f"- **missed**: {sentence}" for sentence in report.missed] or ["Every target was met."]
    left_out = [f"- left out: {name}" for name in report.left_out]
    lines = [
        "# Faults",
        "",
        f"{machine_sentence(report.machine)}.  ",
        f"edge-seg {report.edge_seg_version}, {report.created}, {report.minutes:g} minutes, seed {report.seed}.",
        "",
        *markdown_table(("", "seen", "target"), summary, left=3),
        "",
        *verdict,
        *left_out,
        "",
        "Seconds from the end of a fault until all went on:",
        "",
        *markdown_table(("fault", "times", "median", "longest"), _by_name(report)),
    ]
    return "\n".join(lines) + "\n"


def _by_name(report: FaultReport) -> list[tuple[str, str, str, str]]:
    names = sorted({" + ".join(fault.names) for fault in report.faults})
    rows: list[tuple[str, str, str, str]] = []
    for name in names:
        times = [fault.back_after_s for fault in report.faults if " + ".join(fault.names) == name]
        known = sorted(time for time in times if time is not None)
        longest = "never" if len(known) < len(times) else f"{known[-1]:.1f}"
        rows.append((name, str(len(times)), f"{known[len(known) // 2]:.1f}" if known else "never", longest))
    return rows
