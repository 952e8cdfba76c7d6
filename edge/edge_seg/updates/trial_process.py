"""The process in which a model is tried: `python -m edge_seg.updates.trial_process SECONDS`, a TrialTask on stdin.

Writes a TrialReport on stdout. Stands back for the camera before anything else.
"""

import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_seg.images import RgbImage
    from edge_seg.segmenter import Segmenter
    from edge_seg.updates.trial import TrialReport, TrialTask

_NICENESS = 10
"""Beyond that of the camera's threads (`edge_seg.priority`); at 19 it would hardly get on beside a camera that takes
all cores."""

_FIRST_TO_BE_KILLED = "1000"
_MEMORY_SHARE = 0.5
_ROUNDS, _FEWEST_ROUNDS, _MEASURE_S = 50, 5, 15.0


def main() -> None:
    """Try the model."""
    _stand_back(int(sys.argv[1]))
    from edge_seg.updates.trial import TrialTask

    task = TrialTask.model_validate_json(sys.stdin.buffer.read())
    _bound_memory()
    sys.stdout.write(examine(task).model_dump_json())


def examine(task: "TrialTask") -> "TrialReport":
    """Load the candidate, look at what it answers, and measure how long that takes."""
    from edge_seg.errors import ModelError, UpdateError
    from edge_seg.updates.trial import TrialReport

    try:
        return _examined(task)
    except (ModelError, UpdateError) as error:
        return TrialReport(refusal=str(error).removeprefix(f"{task.candidate}: "))
    except (RuntimeError, ValueError) as error:  # what interpreters raise when a graph cannot be run
        return TrialReport(refusal=f"it cannot be run ({' '.join(str(error).split())})")
    except MemoryError:
        return TrialReport(refusal="it needs more memory than there is")


def _examined(task: "TrialTask") -> "TrialReport":
    from edge_seg.updates.golden import agreement, golden_picture
    from edge_seg.updates.trial import TrialReport

    candidate = task.loading.load(task.candidate)
    refusal = misfit(candidate, task)
    if refusal is not None:
        return TrialReport(refusal=refusal)
    picture = golden_picture(task.golden)
    agreed, least = agreement(task.golden, candidate.segment(picture).class_map), task.golden.least_agreement
    if agreed < least:
        return TrialReport(refusal=f"of its golden picture {agreed:.1%} are as signed, and {least:.1%} must be")
    return _measured(candidate, _running(task), picture, agreed)


def _running(task: "TrialTask") -> "Segmenter | None":
    """Load the model to compare with; a file that was damaged since the camera read it says nothing of the new one."""
    from edge_seg.errors import ModelError

    with suppress(ModelError):
        return task.loading.load(task.running) if task.running else None
    return None


def misfit(candidate: "Segmenter", task: "TrialTask") -> str | None:
    """Return why the camera has no use for a model whatever it answers, or None."""
    names = tuple(item.name for item in candidate.classes)
    if names != task.classes:
        return f"its file's classes are {', '.join(names)}, not {', '.join(task.classes)}"
    if task.needs_scores and candidate.output_format.kind == "classes":
        return "it answers with class ids, where --smooth and --collect need scores"
    return None


def _measured(candidate: "Segmenter", running: "Segmenter | None", picture: "RgbImage", agreed: float) -> "TrialReport":
    from edge_seg.updates.probation import unhindered_ms
    from edge_seg.updates.trial import TrialReport

    models = [candidate] if running is None else [candidate, running]
    rounds: list[list[float]] = []
    until_s = time.monotonic() + _MEASURE_S
    while len(rounds) < _ROUNDS and (len(rounds) < _FEWEST_ROUNDS or time.monotonic() < until_s):
        rounds.append([model.segment(picture).invoke_ms for model in models])
    times_ms = [unhindered_ms(each) for each in zip(*rounds, strict=True)]
    return TrialReport(agreement=agreed, candidate_ms=times_ms[0], running_ms=times_ms[1] if running else None)


def _stand_back(limit_s: int) -> None:
    """Take a low priority, be the first to go when memory runs out, and end also when the camera is gone."""
    signal.alarm(limit_s + 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of numpy, which takes memory for each of its threads
    with suppress(OSError):  # a sandbox may forbid it
        os.setpriority(os.PRIO_PROCESS, 0, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_BE_KILLED, encoding="ascii")


def _bound_memory() -> None:
    """Allow half of the memory that is free beside what is taken already (RLIMIT_DATA counts what is promised)."""
    from edge_seg.doctor.kernel_files import key_values, memory_bytes, read

    available = memory_bytes("MemAvailable")
    taken = key_values(read(Path("/proc/self/status")), ":").get("VmData", "").split()
    if available is None or not taken:
        return  # another kernel, which has no such limit either
    limit = int(taken[0]) * 1024 + int(available * _MEMORY_SHARE)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
