"""Frames through a model into sinks, each stage on a thread of its own.

    source ─▶ decode + prepare ─▶ infer ─▶ finish ─▶ sink, sink, …, the caller's thread

Inference is the slowest stage, does nothing else and goes first where cores are few, so a frame
costs about what the bare model costs. From a live source the newest frame wins at every stage and
drops are counted; from files nothing is ever dropped: a slow sink makes the source wait.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

import cv2

from edge_seg.allocator import keep_freed_memory
from edge_seg.handoff import Handoff
from edge_seg.model_slot import InFlight, ModelSlot
from edge_seg.priority import step_back
from edge_seg.result import Result
from edge_seg.segmenter import PreparedImage, RawOutput, Segmentation, Segmenter
from edge_seg.sinks import Sink
from edge_seg.sources import Frame, Source, WaitingSource

_FILE_QUEUE = 2
_RATE_WINDOW = 30


@dataclass(frozen=True)
class PipelineSummary:
    """What a run came to."""

    frames: int
    """Frames that went through the model."""
    dropped: int
    """Frames of a live source that the model had no time for."""
    dropped_by_sinks: int
    """Results that a slow sink had no time for, all sinks together."""
    seconds: float
    preprocess_ms: float
    """Mean per frame, as are the next two."""
    invoke_ms: float
    postprocess_ms: float

    @property
    def fps(self) -> float:
        """Frames per second of wall time."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0


OnResult = Callable[[Result], None]

Smooth = Callable[[Frame, RawOutput], RawOutput]
"""Calms the network's answers, in the order of the frames."""


def run_pipeline(
    source: Source,
    segmenter: Segmenter | ModelSlot,
    sinks: Sequence[Sink],
    *,
    on_frame: OnResult | None = None,
    observers: Sequence[OnResult] = (),
    smooth: Smooth | None = None,
    stop: threading.Event | None = None,
    max_frames: int | None = None,
) -> PipelineSummary:
    """Run until the source ends, `stop` is set, or `max_frames` were segmented; then close everything.

    Whatever is under way when it stops is finished and written. Sinks that need the main thread
    write on the calling one.

    Args:
        source: closed at the end.
        segmenter: the model; in a slot, it may be exchanged meanwhile.
        sinks: closed at the end, also after an error.
        on_frame: called on the calling thread for every result (of a live source: the newest).
        observers: called for every result, none left out, on the finishing thread before the sinks get
            it; what is not quick goes to a thread of the observer's own.
        smooth: called on the finishing thread with every raw output, which what it returns stands in for.
        stop: set it, from anywhere, to stop early.
        max_frames: stop after so many frames.

    Raises:
        EdgeSegError: the first error of any stage.
        KeyboardInterrupt: passed on, once everything is closed.
    """
    cv2.setNumThreads(1)  # the stages are the parallelism; more threads would fight over the cores
    keep_freed_memory()
    run = _Run(
        source,
        segmenter if isinstance(segmenter, ModelSlot) else ModelSlot(segmenter),
        sinks,
        on_frame=on_frame,
        observers=observers,
        smooth=smooth or (lambda _, raw: raw),
        stop=stop or threading.Event(),
        max_frames=max_frames,
    )
    return run.run()


class _Run:
    """The queues and counters of one run."""

    def __init__(
        self,
        source: Source,
        slot: ModelSlot,
        sinks: Sequence[Sink],
        *,
        on_frame: OnResult | None,
        observers: Sequence[OnResult],
        smooth: Smooth,
        stop: threading.Event,
        max_frames: int | None,
    ) -> None:
        live = source.live
        capacity = 1 if live else _FILE_QUEUE
        self._source, self._slot, self._on_frame, self._stop = source, slot, on_frame, stop
        self._observers, self._smooth, self._max_frames = observers, smooth, max_frames
        self._prepared = Handoff[tuple[Frame, InFlight[PreparedImage]]](capacity, newest_wins=live)
        self._raw = Handoff[tuple[Frame, InFlight[RawOutput]]](_FILE_QUEUE)
        self._here = Handoff[Result](capacity, newest_wins=live)
        self._threaded = [
            (sink, Handoff[Result](_FILE_QUEUE, newest_wins=live)) for sink in sinks if not sink.needs_main_thread
        ]
        self._sinks_here = [sink for sink in sinks if sink.needs_main_thread]
        self._totals = _Totals()

    def run(self) -> PipelineSummary:
        started = time.perf_counter()
        with ThreadPoolExecutor(4 + len(self._threaded), "edge-seg") as pool:
            stages = self._start(pool)
            try:
                self._handle_here()
            finally:
                self._stop.set()
                self._here.close(discard=True)
                wait(stages)
                for sink in self._sinks_here:
                    sink.close()
        for stage in stages:
            stage.result()
        return self._totals.summary(time.perf_counter() - started, self._prepared.dropped, self._dropped_by_sinks)

    @property
    def _dropped_by_sinks(self) -> int:
        return sum(results.dropped for _, results in self._threaded)

    def _start(self, pool: ThreadPoolExecutor) -> list[Future[None]]:
        stages = [pool.submit(self._infer), pool.submit(self._finish)]
        stages += [pool.submit(self._write, sink, results) for sink, results in self._threaded]
        for stage in stages:
            stage.add_done_callback(self._abandon_if_failed)
        if isinstance(self._source, WaitingSource):
            stages.append(pool.submit(self._interrupt, self._source))
        # A source that fails just ends: what it gave before is still worth finishing.
        return [pool.submit(self._read), *stages]

    def _abandon_if_failed(self, stage: Future[None]) -> None:
        if stage.exception() is None:
            return
        self._stop.set()
        for handoff in (self._prepared, self._raw, self._here, *(results for _, results in self._threaded)):
            handoff.close(discard=True)

    def _interrupt(self, source: WaitingSource) -> None:
        """Wake a source that waits for a frame, as it may for ever, when the run stops."""
        self._stop.wait()
        source.interrupt()

    def _read(self) -> None:
        step_back()
        try:
            for frame in self._source:
                if self._stop.is_set():
                    break
                self._prepared.put((frame, self._slot.prepare(frame.image)))
        finally:
            self._source.close()
            self._prepared.close()

    def _infer(self) -> None:
        try:
            for count, (frame, prepared) in enumerate(self._prepared, start=1):
                self._raw.put((frame, self._slot.infer(prepared)))
                if count == self._max_frames:
                    self._stop.set()
                    self._prepared.close(discard=True)
        finally:
            self._raw.close()

    def _finish(self) -> None:
        step_back()
        consumers = [results for _, results in self._threaded]
        if self._sinks_here or self._on_frame is not None:
            consumers.append(self._here)
        try:
            for frame, raw in self._raw:
                segmentation = self._slot.finish(replace(raw, made=self._smooth(frame, raw.made)))
                self._totals.add(segmentation)
                age_ms = (time.monotonic() - frame.captured_monotonic_s) * 1000 if self._source.live else 0.0
                result = Result(frame, segmentation, self._totals.fps, self._prepared.dropped, age_ms)
                for observe in self._observers:
                    observe(result)
                for consumer in consumers:
                    consumer.put(result)
        finally:
            for consumer in (self._here, *consumers):
                consumer.close()

    def _write(self, sink: Sink, results: Handoff[Result]) -> None:
        step_back()
        try:
            for result in results:
                sink.write(result)
        finally:
            sink.close()

    def _handle_here(self) -> None:
        for result in self._here:
            if self._on_frame is not None:
                self._on_frame(result)
            for sink in self._sinks_here:
                sink.write(result)


class _Totals:
    """Sums over the results; the finishing thread adds, the caller reads at the end."""

    def __init__(self) -> None:
        self._frames = 0
        self._preprocess_ms = self._invoke_ms = self._postprocess_ms = 0.0
        self._latest: deque[float] = deque(maxlen=_RATE_WINDOW)

    def add(self, segmentation: Segmentation) -> None:
        self._frames += 1
        self._preprocess_ms += segmentation.preprocess_ms
        self._invoke_ms += segmentation.invoke_ms
        self._postprocess_ms += segmentation.postprocess_ms
        self._latest.append(time.perf_counter())

    @property
    def fps(self) -> float:
        seconds = self._latest[-1] - self._latest[0]
        return (len(self._latest) - 1) / seconds if seconds > 0 else 0.0

    def summary(self, seconds: float, dropped: int, dropped_by_sinks: int) -> PipelineSummary:
        each = max(self._frames, 1)
        return PipelineSummary(
            frames=self._frames,
            dropped=dropped,
            dropped_by_sinks=dropped_by_sinks,
            seconds=seconds,
            preprocess_ms=self._preprocess_ms / each,
            invoke_ms=self._invoke_ms / each,
            postprocess_ms=self._postprocess_ms / each,
        )
