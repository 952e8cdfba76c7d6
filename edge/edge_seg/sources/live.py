"""Live sources: the newest frame of a camera or stream, which is opened again whenever it fails."""

import random
import threading
import time
from collections.abc import Callable, Iterator

from edge_seg.errors import ImageError, SourceError
from edge_seg.images import RgbImage
from edge_seg.sources.capture import Camera, Grabbed
from edge_seg.sources.capturing import CaptureThread
from edge_seg.sources.frame import Frame, FrameChoice, every_frame
from edge_seg.sources.frozen import FrozenCheck, Verdict
from edge_seg.sources.options import SourceOptions

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_JITTER = 0.25
_LEAVE_WITHIN_S = 0.5
_SAY_SO_EVERY_S = 2.0

Report = Callable[[str], None]
"""Takes a sentence about how a source stands."""


def back_off_s(failures: int, chance: float) -> float:
    """Return how long to wait after so many failures in a row (1 for the first): doubling, 0.5 to 30 s.

    `chance`, 0 to 1, spreads it by a quarter either way, so that many devices do not come back at once.
    """
    delay_s = min(_FIRST_DELAY_S * 2.0 ** min(failures - 1, 16), _LONGEST_DELAY_S)
    return delay_s * (1 + _JITTER * (2 * chance - 1))


class LiveSource:
    """Frames of a camera as they come; a late reader gets the newest and sees a gap in their indices.

    It may be closed, and its iteration so ended, from any thread.
    """

    live = True
    frame_count = None

    def __init__(self, camera: Camera, options: SourceOptions, report: Report) -> None:
        self.name = camera.name
        self._camera, self._report = camera, report
        self._retries, self._retries_later = options.retries_at_start, options.retries_later
        self._rate = options.rate
        self._wanted: FrameChoice = every_frame
        self._waiting: Report = lambda _: None
        self._frozen = FrozenCheck(options.frozen_after_s)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread = CaptureThread(camera, 0)
        self._failures = 0
        self._failing_since_s = 0.0
        self._told = ""

    @property
    def fps(self) -> float | None:
        """Frames per second as the camera states them, else as they were asked for."""
        return self._thread.fps or self._rate

    def select(self, wanted: FrameChoice) -> None:
        """Leave out, undecoded, the frames that are not wanted."""
        self._wanted = wanted

    def while_waiting(self, listener: Report) -> None:
        """Have `listener` told while the camera is not there."""
        self._waiting = listener

    def start(self) -> None:
        """Wait for the first opening.

        Raises:
            SourceError: it failed, and the options allow no second one.
        """
        try:
            self._thread.wait_until_open()
        except SourceError:
            if self._retries == 0:
                self.close()
                raise

    def __iter__(self) -> Iterator[Frame]:
        while not self._closed.is_set():
            try:
                yield from self._frames(self._thread)
            except SourceError as error:
                self._thread.abandon()
                self._wait_or_give_up(error)
                self._open_again()

    def interrupt(self) -> None:
        """End the iteration at once, from any thread."""
        with self._lock:
            self._closed.set()
            self._thread.abandon()

    def close(self) -> None:
        """End the iteration and let go of the camera, or of one that hangs leave that to its own thread."""
        self.interrupt()
        self._thread.abandon(wait_s=_LEAVE_WITHIN_S)

    def _open_again(self) -> None:
        with self._lock:
            if not self._closed.is_set():
                self._thread = CaptureThread(self._camera, self._thread.next_index)
                self._frozen.opened()

    def _frames(self, thread: CaptureThread) -> Iterator[Frame]:
        damaged_since_s: float | None = None
        while (taken := thread.take()) is not None:
            index, grabbed = taken
            if not self._wanted(index):
                continue
            now_s = time.monotonic()
            try:
                image = grabbed.decode()
            except ImageError as error:
                damaged_since_s = damaged_since_s or now_s
                if now_s - damaged_since_s > self._camera.longest_silence_s:
                    raise SourceError(f"{self._camera.label}: sends only damaged pictures ({error})") from None
                continue
            damaged_since_s = None
            self._note_success(now_s)
            self._check_frozen(self._frozen.look(image, now_s))
            yield _frame(f"{self.name}_{index:06d}", index, image, grabbed)

    def _check_frozen(self, verdict: Verdict) -> None:
        if verdict is Verdict.FROZEN:
            raise SourceError(f"{self._camera.label}: the picture is frozen, frames keep coming but are all the same")
        if verdict is Verdict.STILL:
            self._report(
                f"{self._camera.label}: still the same picture after opening it again; "
                "a still scene, or a camera to switch off and on"
            )

    def _note_success(self, now_s: float) -> None:
        if self._failures:
            self._report(f"{self._camera.label}: frames again after {now_s - self._failing_since_s:.1f} s")
        self._failures, self._told = 0, ""
        self._retries = self._retries_later

    def _wait_or_give_up(self, error: SourceError) -> None:
        if self._failures >= self._retries:
            attempts = f"; gave up after {self._failures + 1} attempts" if self._failures else ""
            raise SourceError(f"{error}{attempts}")
        if self._failures == 0:
            self._failing_since_s = time.monotonic()
        self._failures += 1
        delay_s = back_off_s(self._failures, random.random())
        self._tell(str(error), delay_s)
        self._wait(delay_s)

    def _wait(self, delay_s: float) -> None:
        until_s = time.monotonic() + delay_s
        while not self._closed.is_set() and (left_s := until_s - time.monotonic()) > 0:
            self._waiting(f"waiting for {self._camera.label}")
            self._closed.wait(min(left_s, _SAY_SO_EVERY_S))

    def _tell(self, error: str, delay_s: float) -> None:
        """Report what is new, and what is not after 1, 2, 4, 8, … failures: a log must last for months."""
        if error != self._told or self._failures & (self._failures - 1) == 0:
            self._report(f"{error}; trying again in {delay_s:.1f} s")
        self._told = error


def _frame(name: str, index: int, image: RgbImage, grabbed: Grabbed) -> Frame:
    captured_s = grabbed.captured_monotonic_s
    return Frame(image, index, time.time() - (time.monotonic() - captured_s), name, captured_s)


def open_live(camera: Camera, options: SourceOptions, report: Report) -> LiveSource:
    """Open a live source.

    Raises:
        SourceError: it cannot be opened, and the options allow no second attempt.
    """
    source = LiveSource(camera, options, report)
    source.start()
    return source
