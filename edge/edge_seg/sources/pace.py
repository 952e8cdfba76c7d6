"""Fewer frames than the source has, to save power: each n-th, or so many per second."""

import threading
import time
from collections.abc import Callable, Iterator

from edge_seg.sources.frame import Frame, SelectiveSource, Source, WaitingSource

Clock = Callable[[], float]


class RateLimit:
    """Moments at least a period apart on average; one that comes late does not make the next ones come early."""

    def __init__(self, fps: float, clock: Clock = time.monotonic) -> None:
        self._period_s = 1 / fps
        self._clock = clock
        self._due = clock()

    def remaining_s(self) -> float:
        """Seconds until the next moment, 0 when it is here."""
        return max(self._due - self._clock(), 0.0)

    def take(self) -> None:
        """Use the moment that is here."""
        now = self._clock()
        late = now - self._due >= self._period_s
        self._due = (now if late else self._due) + self._period_s


class PacedSource:
    """A source of which only some frames are wanted; the others are not decoded where it can leave them out.

    A live source goes on at its own pace and gives the frame of the moment. A file waits for its moment, so that
    `max_fps` loses none of its frames.
    """

    def __init__(
        self,
        source: Source,
        *,
        every: int = 1,
        max_fps: float | None = None,
        stop: threading.Event | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """Wrap a source, which is not iterated yet.

        Args:
            source: closed with this one.
            every: each so manieth frame is wanted, the first of all included.
            max_fps: most frames per second of wall time.
            stop: ends a wait at once.
            clock: in seconds.
        """
        self._source, self._every = source, every
        self._limit = None if max_fps is None else RateLimit(max_fps, clock)
        self._stop = stop or threading.Event()
        self.name, self.live = source.name, source.live
        self.frame_count = None if source.frame_count is None else -(-source.frame_count // every)
        self.fps = None if source.fps is None else source.fps / every

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._chosen():
            if self._limit is not None and not self.live:
                if self._stop.wait(self._limit.remaining_s()):
                    return
                self._limit.take()
            yield frame

    def while_waiting(self, listener: Callable[[str], None]) -> None:
        """Pass `listener` on to a source that may wait."""
        if isinstance(self._source, WaitingSource):
            self._source.while_waiting(listener)

    def interrupt(self) -> None:
        """End the iteration at once, from any thread, where the source may wait for a frame."""
        if isinstance(self._source, WaitingSource):
            self._source.interrupt()

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _chosen(self) -> Iterator[Frame]:
        if isinstance(self._source, SelectiveSource):
            self._source.select(self._wants)
            return iter(self._source)
        return (frame for frame in self._source if self._wants(frame.index))

    def _wants(self, index: int) -> bool:
        if index % self._every:
            return False
        if self._limit is None or not self.live:
            return True
        if self._limit.remaining_s() > 0:
            return False
        self._limit.take()
        return True


def period_s(source: Source, *, every: int, max_fps: float | None) -> float:
    """Return the seconds, of the film or of the camera's time, between two frames that are wanted; 0 if unknown."""
    of_frames = every / source.fps if source.fps else 0.0
    return max(of_frames, 1 / max_fps) if source.live and max_fps else of_frames


def paced(source: Source, *, every: int, max_fps: float | None, stop: threading.Event) -> Source:
    """Return the source itself where all of its frames are wanted, else a PacedSource of it."""
    return source if every == 1 and max_fps is None else PacedSource(source, every=every, max_fps=max_fps, stop=stop)
