"""A sink that may fail, hang and come back while the camera goes on."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from edge_seg.errors import EdgeSegError
from edge_seg.handoff import Handoff
from edge_seg.result import Result
from edge_seg.sinks.disk_guard import DiskFullError
from edge_seg.sinks.sink import Sink

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
CLOSE_WITHIN_S = 1.5
_QUEUE = 2


class RecoveringSink:
    """Writes on a thread of its own; when that fails, says so once and opens the output anew now and then.

    What comes meanwhile is lost, and counted. Of a live source no call takes longer than
    CLOSE_WITHIN_S, whatever the disk does.
    """

    needs_main_thread = False

    def __init__(
        self,
        name: str,
        reopen: Callable[[], Sink],
        report: Callable[[str], None],
        *,
        on_failure: Callable[[str, str], None] = lambda _, __: None,
        live: bool = True,
        retry_s: float = FIRST_RETRY_S,
        close_within_s: float = CLOSE_WITHIN_S,
    ) -> None:
        """Open the output for the first time.

        Args:
            name: what messages call it, as `--out` does.
            reopen: opens the output.
            report: is given one sentence when it fails, and one when it is back; on any thread.
            on_failure: is given the name and a sentence with every attempt that fails; on any thread.
            live: what waits makes room for what is newer; of files nothing is left out.
            retry_s: after a failure wait so long, and twice as long after every further one.
            close_within_s: give the output so long to finish.

        Raises:
            SinkError: it cannot be opened; what never worked is not waited for.
        """
        self._name, self._reopen, self._report, self._on_failure = name, reopen, report, on_failure
        self._first_retry_s, self._close_within_s = retry_s, close_within_s
        self._sink: Sink | None = reopen()
        self._retry_s, self._retry_at_s = retry_s, 0.0
        self._lost = 0
        self._final: Exception | None = None
        self._results = Handoff[Result](_QUEUE, newest_wins=live)
        self._thread = threading.Thread(target=self._run, name=f"edge-seg {name}", daemon=True)
        self._thread.start()

    def write(self, result: Result) -> None:
        """Hand one result over.

        Raises:
            DiskFullError: the disk is full and the run is to end then.
            Exception: a defect of the output.
        """
        if self._final is not None:
            raise self._final
        self._results.put(result)

    def close(self) -> None:
        """Let the output finish what it has, for a while.

        Raises:
            Exception: as `write`.
        """
        self._results.close()
        self._thread.join(self._close_within_s)
        if self._thread.is_alive():
            self._report(f"{self._name}: did not finish within {self._close_within_s:g} s and is left as it is")
        elif self._final is not None:
            final, self._final = self._final, None
            raise final

    def _run(self) -> None:
        try:
            for result in self._results:
                self._try(result)
            self._finish()
        except Exception as error:  # noqa: BLE001 raised again on the caller's thread
            self._final = error
            self._results.close(discard=True)

    def _try(self, result: Result) -> None:
        if self._sink is None and time.monotonic() < self._retry_at_s:
            self._lost += 1
            return
        try:
            self._sink = self._sink or self._reopen()
            self._sink.write(result)
        except DiskFullError:
            self._abandon()
            raise
        except EdgeSegError as error:
            self._failed(error)
        else:
            self._worked()

    def _failed(self, error: EdgeSegError) -> None:
        if not self._lost:
            self._report(f"{error} (the camera goes on; this output is tried again)")
        self._lost += 1
        self._on_failure(self._name, str(error))
        self._retry_at_s = time.monotonic() + self._retry_s
        self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
        self._abandon()

    def _abandon(self) -> None:
        sink, self._sink = self._sink, None
        with suppress(EdgeSegError):  # it has failed already, and that was said
            if sink is not None:
                sink.close()

    def _worked(self) -> None:
        if self._lost:
            self._report(f"{self._name}: is written again; {self._lost} results were lost")
        self._lost, self._retry_s = 0, self._first_retry_s

    def _finish(self) -> None:
        try:
            if self._sink is not None:
                self._sink.close()
        except EdgeSegError as error:
            self._report(str(error))
        if self._lost:
            self._report(f"{self._name}: could not be written to the end; {self._lost} results were lost")
        if self._results.dropped:
            self._report(f"{self._name}: was too slow for {self._results.dropped} results, which were left out")
