"""Where a camera's new models come from, and what is asked of them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_seg.errors import UpdateError
from edge_seg.loading import Loading
from edge_seg.updates.fetching import fetch
from edge_seg.updates.limits import Limits
from edge_seg.updates.manifest import Manifest
from edge_seg.updates.probation import PROBATION_FRAMES, FrameProbation
from edge_seg.updates.slowest import Slowest, limit_ms
from edge_seg.updates.store import Candidate, ModelStore
from edge_seg.updates.trial import TRIAL_LIMIT_S, TrialReport, TrialTask, run_trial


class TooSlowError(UpdateError):
    """A model is slower than allowed; what else the device did may be why, so that it may be tried again.

    The sentence is the same every time; `detail` has the figures.
    """

    def __init__(self, manifest: Manifest, expected_ms: float, allowed_ms: float) -> None:
        super().__init__(f"{manifest.name} version {manifest.version} is slower than allowed, and is tried again later")
        self.detail = f": it would take {expected_ms:.1f} ms where {allowed_ms:.1f} ms are allowed"


def in_full(error: UpdateError) -> str:
    """Return what an error says, with the figures where it has some."""
    return f"{error}{error.detail}" if isinstance(error, TooSlowError) else str(error)


@dataclass(frozen=True)
class UpdateSettings:
    """What a user asks for, and the limits of each step."""

    url: str
    key: Ed25519PublicKey
    device: str
    """As `device_class.this_device` names it."""
    loading: Loading
    every_s: float = 3600.0
    slowest: Slowest | None = None
    needs_scores: bool = False
    """What is done with the answers takes more than class ids."""
    ca_file: Path | None = None
    plaintext: bool = False
    limits: Limits = field(default_factory=Limits)
    trial_limit_s: float = TRIAL_LIMIT_S
    probation_frames: int = PROBATION_FRAMES

    def fetch(
        self, store: ModelStore, classes: Sequence[str] | None, stopping: threading.Event | None = None
    ) -> Candidate | None:
        """Return what is new, as `fetching.fetch` does; raises what it raises."""
        return fetch(
            self.url,
            self.key,
            store,
            device=self.device,
            classes=classes,
            ca_file=self.ca_file,
            plaintext=self.plaintext,
            limits=self.limits,
            stopping=stopping,
        )

    def trial(self, candidate: Candidate, running: Path | None, stop: threading.Event) -> TrialReport | None:
        """Try a candidate, as `trial.run_trial` does; raises what it raises."""
        task = TrialTask(
            candidate=candidate.path,
            running=running,
            classes=candidate.manifest.classes,
            golden=candidate.manifest.golden,
            loading=self.loading,
            needs_scores=self.needs_scores,
        )
        return run_trial(task, stop, limit_s=self.trial_limit_s)

    def check_pace(self, report: TrialReport, manifest: Manifest, camera_ms: float | None = None) -> None:
        """Raise TooSlowError for a model that was tried and is slower than allowed.

        The one before takes `camera_ms` in the camera.
        """
        before_ms = report.running_ms if camera_ms is None else camera_ms
        limit, expected = limit_ms(self.slowest, manifest.slowest_ms, before_ms), report.expected_ms(camera_ms)
        if limit is not None and expected > limit:
            raise TooSlowError(manifest, expected, limit)

    def probation(self, manifest: Manifest, before_ms: float | None = None) -> FrameProbation:
        """Return what watches the first frames of a model; the one before takes `before_ms`."""
        return FrameProbation(self.probation_frames, limit_ms(self.slowest, manifest.slowest_ms, before_ms))
