"""The thread that opens a live source and keeps its newest picture."""

import threading
import time

from edge_seg.errors import SourceError
from edge_seg.native_threads import NativeThread
from edge_seg.sources.backlog import Backlog
from edge_seg.sources.capture import Camera, Capture, Grabbed

_SLACK_S = 0.3
"""The source's own time-out should come first: it knows more to say."""


class CaptureThread:
    """Opens a camera and grabs from it until it fails or nobody wants it any more; the newest picture wins.

    It is a daemon: one that hangs in native code is left behind, lets go of the camera when it
    returns, and keeps neither its consumer nor the process from going on.
    """

    def __init__(self, camera: Camera, first_index: int) -> None:
        self.next_index = first_index
        """Counts every picture grabbed, taken or not."""
        self.fps: float | None = None
        self._camera = camera
        self._changed = threading.Condition()
        self._heard_s = time.monotonic()
        self._newest: tuple[int, Grabbed] | None = None
        self._error: SourceError | None = None
        self._open = self._abandoned = False
        self._thread = NativeThread(self._run, f"capture {camera.name}")
        self._thread.start()

    def wait_until_open(self) -> None:
        """Wait until the camera is open.

        Raises:
            SourceError: it could not be opened, or not in time.
        """
        with self._changed:
            while not (self._open or self._error or self._abandoned):
                self._wait()
            if self._error:
                raise self._error

    def take(self) -> tuple[int, Grabbed] | None:
        """Wait for a picture that was not taken before, and its index; None once the thread is abandoned.

        Raises:
            SourceError: the camera failed, or was silent for too long.
        """
        with self._changed:
            while not (self._newest or self._error or self._abandoned):
                self._wait()
            if self._abandoned:
                return None
            if self._newest:
                newest, self._newest = self._newest, None
                return newest
            assert self._error is not None
            raise self._error

    def abandon(self, wait_s: float = 0.0) -> None:
        """Stop at the next picture; wait at most `wait_s` for the camera to be let go of."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()
        if wait_s > 0:
            self._thread.join(wait_s)

    def _wait(self) -> None:
        silence_s = self._camera.longest_silence_s
        left_s = self._heard_s + silence_s + _SLACK_S - time.monotonic()
        if left_s <= 0:
            what = "no frame" if self._open else "no answer"
            raise SourceError(f"{self._camera.label}: {what} for {silence_s:g} s")
        self._changed.wait(left_s)

    def _run(self) -> None:
        try:
            capture = self._camera.open()
            try:
                self._announce(capture)
                self._grab(capture)
            finally:
                capture.close()
        except SourceError as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _announce(self, capture: Capture) -> None:
        with self._changed:
            self.fps, self._open, self._heard_s = capture.fps, True, time.monotonic()
            self._changed.notify_all()

    def _grab(self, capture: Capture) -> None:
        backlog = Backlog()
        while not self._abandoned:
            grabbed = capture.grab()
            arrived_s = time.monotonic()
            with self._changed:
                self._heard_s = arrived_s
                if not backlog.holds(arrived_s):
                    self._newest = (self.next_index, grabbed)
                    self._changed.notify_all()
                self.next_index += 1
