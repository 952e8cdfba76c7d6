"""Collects how a run stands from the pipeline's threads, and tells it to others."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence

from edge_seg.alerts.event import AlertEvent
from edge_seg.model_identity import ModelIdentity
from edge_seg.result import Result
from edge_seg.telemetry.board import Board
from edge_seg.telemetry.history import ShareHistory
from edge_seg.telemetry.state import Alert, SinkFault, SourceState, State

_SAMPLE_EVERY_S = 0.1
_SHORTEST_STALL_S = 3.0
_STALL_FRAMES = 3
_RECENT_ALERTS = 50

Listener = Callable[[], None]


class Telemetry:
    """An observer of a pipeline. Every method may be called from any thread, and none waits.

    Class shares are looked at ten times a second at most: counting pixels is what costs.
    """

    def __init__(
        self,
        class_names: Sequence[str],
        *,
        model: ModelIdentity | None = None,
        outputs: Sequence[str] = (),
        board: Board | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin the run.

        Args:
            class_names: the model's.
            model: the one that runs, where that is known.
            outputs: what `sink_error` may name later; counted from 0, so that the first error is a change.
            board: what to ask for temperature and throttling.
            clock: gives seconds that never go back.
        """
        self.class_names = tuple(class_names)
        self._board, self._clock, self._model = board or Board(), clock, model
        self._lock = threading.Lock()
        self._started_s = clock()
        self._newest: Result | None = None
        self._newest_s = self._sample_due_s = self._started_s
        self._shares: dict[str, float] = {}
        self._history = ShareHistory()
        self._frames = self._troubles = 0
        self._trouble, self._ended = "", False
        self._active: dict[str, Alert] = {}
        self._recent: deque[Alert] = deque(maxlen=_RECENT_ALERTS)
        self._raised: Counter[str] = Counter()
        self._sink_errors = Counter(dict.fromkeys(outputs, 0))
        self._model_updates: Counter[str] = Counter()
        self._last_sink_error: SinkFault | None = None
        self._waiting: Callable[[], Mapping[str, int]] = dict
        self._listeners: list[Listener] = []

    def observe(self, result: Result) -> None:
        """Count in one result; the pipeline calls it for each."""
        now_s = self._clock()
        due = now_s >= self._sample_due_s
        shares = result.segmentation.area_share if due else {}
        with self._lock:
            self._frames += 1
            self._newest, self._newest_s = result, now_s
            comes_back, self._trouble = bool(self._trouble) or self._frames == 1, ""
            if due:
                self._sample(now_s, shares)
        if comes_back:
            self._tell()

    def trouble(self, sentence: str) -> None:
        """Say what is wrong with the source; it holds until the next result."""
        with self._lock:
            self._troubles += sentence != self._trouble
            self._trouble = sentence
        self._tell()

    def alert(self, event: AlertEvent) -> None:
        """Note that a rule began ('raised') or ceased ('cleared') to hold, or was tried ('test')."""
        alert = Alert(event.rule, event.kind, event.time, event.share)
        with self._lock:
            self._recent.appendleft(alert)
            if alert.state == "raised":
                self._active[alert.rule] = alert
                self._raised[alert.rule] += 1
            elif alert.state == "cleared":
                self._active.pop(alert.rule, None)
        self._tell()

    def model_changed(self, model: ModelIdentity) -> None:
        """Say that another model runs from now on."""
        with self._lock:
            self._model = model
        self._tell()

    def watch_updates(self, outcomes: Sequence[str]) -> None:
        """Count what comes of looks for new models, each of `outcomes` from 0."""
        with self._lock:
            self._model_updates.update(dict.fromkeys(outcomes, 0))

    def model_update(self, outcome: str) -> None:
        """Count what came of a look for a new model, one of those outcomes."""
        with self._lock:
            self._model_updates[outcome] += 1

    def sink_error(self, name: str, sentence: str) -> None:
        """Count a write that failed; `name` says which output, `sentence` why, both without secrets."""
        with self._lock:
            self._sink_errors[name] += 1
            self._last_sink_error = SinkFault(name, sentence, time.time())

    def watch_alerts(self, rules: Sequence[str], waiting: Callable[[], Mapping[str, int]]) -> None:
        """Count the alerts of `rules` from 0; `waiting`, which must be quick, says what each receiver still lacks."""
        with self._lock:
            self._raised.update(dict.fromkeys(rules, 0))
            self._waiting = waiting

    def end(self) -> None:
        """Say that no more results come."""
        with self._lock:
            self._ended = True
        self._tell()

    def listen(self, listener: Listener) -> None:
        """Have `listener` called, from any thread, when something happened that cannot wait a second."""
        self._listeners.append(listener)

    def state(self) -> State:
        """Return how the run stands now."""
        board, waiting = self._board.read(), dict(self._waiting())
        with self._lock:
            now_s, now = self._clock(), time.time()
            source = self._source(now_s)
            result = self._newest
            segmentation = result.segmentation if result else None
            height, width = segmentation.class_map.shape if segmentation else (0, 0)
            return State(
                time=now,
                uptime_s=now_s - self._started_s,
                source=source,
                frames=self._frames,
                dropped=result.dropped if result else 0,
                fps=result.fps if result and source.condition == "live" else 0.0,
                age_ms=result.age_ms if result else 0.0,
                preprocess_ms=segmentation.preprocess_ms if segmentation else 0.0,
                invoke_ms=segmentation.invoke_ms if segmentation else 0.0,
                postprocess_ms=segmentation.postprocess_ms if segmentation else 0.0,
                width=width,
                height=height,
                last_result_at=now - (now_s - self._newest_s) if result else None,
                shares=dict(self._shares),
                board=board,
                model=self._model,
                active_alerts=tuple(self._active.values()),
                recent_alerts=tuple(self._recent),
                alerts_raised=dict(self._raised),
                sink_errors=dict(self._sink_errors),
                last_sink_error=self._last_sink_error,
                alerts_waiting=waiting,
                troubles=self._troubles,
                model_updates=dict(self._model_updates),
            )

    def history(self) -> list[tuple[float, tuple[float, ...]]]:
        """Return (seconds since the epoch, mean share per class) of the last ten minutes, second by second."""
        with self._lock:
            now_s, now = self._clock(), time.time()
            return [(now - (now_s - second), shares) for second, shares in self._history.seconds(now_s)]

    def _sample(self, now_s: float, shares: Mapping[str, float]) -> None:
        self._shares = dict(shares)
        self._history.add(now_s, [shares.get(name, 0.0) for name in self.class_names])
        self._sample_due_s = now_s + _SAMPLE_EVERY_S

    def _source(self, now_s: float) -> SourceState:
        if self._ended:
            return SourceState("ended", "the run has ended")
        if self._trouble:
            return SourceState("trouble", self._trouble)
        if self._newest is None:
            return SourceState("starting", "waiting for the first picture")
        silent_s = now_s - self._newest_s
        if silent_s > _patience_s(self._newest.fps):
            return SourceState("stalled", f"no picture for {silent_s:.0f} s")
        return SourceState("live", "")

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _patience_s(fps: float) -> float:
    """Return how long a source of this rate may be silent before that is worth a word."""
    return max(_SHORTEST_STALL_S, _STALL_FRAMES / fps) if fps > 0 else _SHORTEST_STALL_S
