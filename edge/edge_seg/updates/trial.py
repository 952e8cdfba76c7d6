"""Trying a model before the camera gets it, in a process of its own: which may crash, hang or run out of memory."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from pydantic import BaseModel, ConfigDict

from edge_seg.errors import UpdateError
from edge_seg.loading import Loading
from edge_seg.updates.manifest import Golden

TRIAL_LIMIT_S = 300.0
"""It takes a second; beside a camera that keeps all cores busy, many times that."""

_LOOK_EVERY_S = 0.2


class TrialTask(BaseModel):
    """What the process is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    candidate: Path
    running: Path | None
    """The model to compare its speed with, where it can be read."""
    classes: tuple[str, ...]
    golden: Golden
    loading: Loading
    needs_scores: bool = False
    """What is done with its answers takes more than class ids."""


class TrialReport(BaseModel):
    """What the process found.

    Milliseconds are those of one inference on the golden picture, as `unhindered_ms` finds them, both models in turns.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    refusal: str | None = None
    """Why the model cannot be used; the numbers mean nothing then."""
    agreement: float = 0.0
    """Share of the golden picture's pixels that are of the class expected."""
    candidate_ms: float = 0.0
    running_ms: float | None = None

    def expected_ms(self, camera_ms: float | None) -> float:
        """Return what an inference will take in the camera, where the running model takes `camera_ms`.

        The trial stands back for the camera, so that both models are slower in it than they are in the camera: what
        carries over is how they compare.
        """
        if camera_ms is None or not self.running_ms:
            return self.candidate_ms
        return camera_ms * self.candidate_ms / self.running_ms


def run_trial(task: TrialTask, stop: threading.Event, *, limit_s: float = TRIAL_LIMIT_S) -> TrialReport | None:
    """Try a model, and wait for the answer; None when `stop` was set before it came.

    A model that ends the process or takes longer than `limit_s` is refused.

    Raises:
        UpdateError: the process cannot be started, or the file is gone, which says nothing of the model.
    """
    # -P: what lies in the working folder is no module, whatever it is called
    command = [sys.executable, "-P", "-m", "edge_seg.updates.trial_process", f"{limit_s:.0f}"]
    try:
        with TemporaryFile() as given, TemporaryFile() as answer:
            given.write(task.model_dump_json().encode())
            given.seek(0)
            process = subprocess.Popen(command, stdin=given, stdout=answer, stderr=subprocess.DEVNULL)
            in_time = _ended(process, stop, limit_s)
            answer.seek(0)
            report = answer.read()
    except OSError as error:
        raise UpdateError(f"a new model cannot be tried, its process cannot be started ({error.strerror})") from None
    if stop.is_set():
        return None
    if not task.candidate.exists():
        raise UpdateError(f"{task.candidate}: is gone; does its disk fail? It is fetched again")
    if not in_time:
        return TrialReport(refusal=f"its trial did not end within {limit_s:.0f} s")
    if process.returncode != 0:
        return TrialReport(refusal=f"its trial ended with {_how(process.returncode)}")
    return TrialReport.model_validate_json(report)


def _ended(process: "subprocess.Popen[bytes]", stop: threading.Event, limit_s: float) -> bool:
    """Wait for a process; return False where it had to be ended, for being late or by `stop`."""
    deadline_s = time.monotonic() + limit_s
    while not stop.is_set() and time.monotonic() < deadline_s:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK_EVERY_S)
            return True
    process.kill()
    process.wait()
    return False


def _how(code: int) -> str:
    if code > 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name} (often: a damaged model, or one that needs more memory than there is)"
