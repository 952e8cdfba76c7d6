"""A camera, one fault after the other, and what is left of it."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.endurance.fault_bench import Bench, Fault, open_bench
from edge_seg_bench.endurance.fault_files import find_broken
from edge_seg_bench.endurance.fault_plan import PlannedFault, plan_faults
from edge_seg_bench.endurance.fault_report import FaultReport, FaultResult, sign
from edge_seg_bench.endurance.fault_script import Script
from edge_seg_bench.waiting import wait_until

_STARTS_WITHIN_S = 60.0
_BACK_WITHIN_S = 60.0  # an outlet is tried again after 30 s at the latest
_SETTLES_WITHIN_S = 150.0  # a webhook, after 60 s


def run_faults(folder: Path, minutes: float, seed: int, announce: Callable[[str], None]) -> FaultReport:
    """Run for so many minutes in an empty folder.

    Raises:
        BenchmarkError: the camera did not start.
    """
    with open_bench(folder, seed) as bench:
        if wait_until(lambda: bench.frames() > 0, _STARTS_WITHIN_S) is None:
            raise BenchmarkError(f"the camera gives no frame; it says: {bench.camera.said().strip()[-300:]}")
        script = Script(bench)
        stream, outlets = bench.stream_faults(), bench.outlet_faults()
        plan = plan_faults(tuple(stream), tuple(outlets), seed)
        results = _make_faults(bench, stream | outlets, plan, minutes * 60, announce)
        announce("waiting for the last alerts to arrive")
        script.finish(_SETTLES_WITHIN_S)
        wait_until(lambda: not any(_lost(_events(bench)).values()), _SETTLES_WITHIN_S)
        frames, exit_before = int(bench.frames()), bench.camera.exit_code
        seconds_to_end = bench.camera.terminate() if exit_before is None else 0.0
        events = _events(bench)
        kinds = list({key: kind for known in events.values() for key, kind in known.items()}.values())
        return FaultReport.model_validate(
            {
                **sign(seed, minutes),
                "left_out": () if bench.disk is not None else ("disk full: mounting a small disk needs root",),
                "faults": tuple(results),
                "frames": frames,
                "times_shown": script.shown,
                "events": {receiver: len(known) for receiver, known in events.items()},
                "lost": _lost(events),
                "raised": kinds.count("raised"),
                "cleared": kinds.count("cleared"),
                "exit_code": bench.camera.exit_code,
                "seconds_to_end": seconds_to_end,
                "tracebacks": bench.camera.said().count("Traceback"),
                "broken_files": tuple(find_broken(bench.files)),
            }
        )


def _make_faults(
    bench: Bench,
    faults: Mapping[str, Fault],
    plan: Iterable[PlannedFault],
    seconds: float,
    announce: Callable[[str], None],
) -> list[FaultResult]:
    started, results = time.monotonic(), list[FaultResult]()
    for planned in plan:
        time.sleep(planned.after_s)
        at_s = time.monotonic() - started
        if at_s > seconds or bench.camera.exit_code is not None:
            return results
        announce(f"{at_s:5.0f} s  {' and '.join(planned.names)}, for {planned.lasts_s:.1f} s")
        results.append(_make_fault(bench, [faults[name] for name in planned.names], planned, at_s))
    return results


def _make_fault(bench: Bench, faults: list[Fault], planned: PlannedFault, at_s: float) -> FaultResult:
    frames = bench.frames()
    for fault in faults:
        fault.begin()
    time.sleep(planned.lasts_s)
    meanwhile = bench.frames() - frames
    for fault in faults:
        fault.end()
    before = [fault.progress() for fault in faults]

    def all_went_on() -> bool:
        return all(fault.progress() > value for fault, value in zip(faults, before, strict=True))

    return FaultResult(
        names=planned.names,
        at_s=round(at_s, 1),
        lasts_s=planned.lasts_s,
        back_after_s=wait_until(all_went_on, _BACK_WITHIN_S),
        frames_meanwhile=int(meanwhile),
    )


def _events(bench: Bench) -> dict[str, dict[str, str]]:
    """Return the kind of each event by its id, for each of those that were told."""
    journal = bench.files / "alerts/alerts.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    return {
        "alerts.jsonl": {record["id"]: record["event"] for record in map(json.loads, lines)},
        "MQTT": dict(bench.broker.events),
        "webhook": dict(bench.webhook.events),
    }


def _lost(events: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    """Return how many events each receiver lacks."""
    everything = {key for known in events.values() for key in known}
    return {receiver: len(everything - known.keys()) for receiver, known in events.items()}
