"""How often work was begun and not ended, because the process that did it died.

Ray starts a process that died again, and gives it the same pictures, for ever. That cures a machine that is lost.
It does not cure a picture that kills whoever decodes it, nor machines whose memory is too small for the model:
the first is found out and left out, the second ends the run.
"""

from collections import Counter
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

MOST_DEATHS = 2
"""After so many, pictures are done one by one; and one that still takes its process with it so often is left out."""

_MOST_VAIN_STARTS = 8
_MOST_VAIN_STARTS_PER_WORKER = 4


@dataclass(frozen=True)
class Attempt:
    """What is known of a piece of work when it is begun."""

    deaths: int
    """How often it was begun before and not ended."""
    hopeless: bool
    """Nobody ended anything for so long that going on makes no sense."""


class Counts(Protocol):
    """What a worker says and asks."""

    def begin(self, work: str) -> Attempt:
        """Note that `work` is begun, and tell how often it was before."""
        ...

    def end(self, work: str) -> None:
        """Note that `work` was done, so that there is hope."""
        ...


class Attempts:
    """Counts for all workers of a run."""

    def __init__(self, workers: int) -> None:
        self._most_vain = _MOST_VAIN_STARTS + _MOST_VAIN_STARTS_PER_WORKER * workers
        self._begun = Counter[str]()
        self._vain = 0

    def begin(self, work: str) -> Attempt:
        """Note that `work` is begun, and tell how often it was before."""
        deaths = self._begun[work]
        self._begun[work] += 1
        self._vain += 1
        return Attempt(deaths, self._vain > self._most_vain)

    def end(self, work: str) -> None:
        """Note that `work` was done, so that there is hope."""
        self._begun.pop(work, None)
        self._vain = 0


class SharedAttempts:
    """An `Attempts` in a process of its own, where all workers ask."""

    def __init__(self, workers: int) -> None:
        """Start the process on the machine of this one: it lives as long as the run."""
        ray, scheduling = (import_module(name) for name in ("ray", "ray.util.scheduling_strategies"))
        here = scheduling.NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._actor: Any = ray.remote(Attempts).options(num_cpus=0, scheduling_strategy=here).remote(workers)

    def begin(self, work: str) -> Attempt:
        """As `Attempts.begin`."""
        ray: Any = import_module("ray")
        return ray.get(self._actor.begin.remote(work))

    def end(self, work: str) -> None:
        """As `Attempts.end`; does not wait."""
        self._actor.end.remote(work)
