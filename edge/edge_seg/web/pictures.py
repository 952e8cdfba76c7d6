"""The newest result as JPEG pictures: each view of it is made once, however many look."""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass

from edge_seg.result import Result
from edge_seg.web.view import View, encode_view
from edge_seg.web.wakeup import Wakeup

_MOST_PER_SECOND = 30
_INTERVAL_S = 1 / _MOST_PER_SECOND
_LOOK_AGAIN_S = 1.0


@dataclass(frozen=True)
class Picture:
    """One JPEG, and the number of the result it shows."""

    number: int
    jpeg: bytes


class Pictures:
    """Takes results from a pipeline's thread and gives pictures to viewers on the event loop.

    Nothing is drawn or encoded unless somebody waits for it, and then by `worker`. Each viewer takes
    the newest picture when it is ready for one, so a slow one gets fewer.
    """

    def __init__(self, worker: Executor) -> None:
        self._worker, self._wakeup = worker, Wakeup()
        self._newest: tuple[int, Result] | None = None
        self._count = 0
        self._due_s = 0.0
        self._made: dict[View, tuple[int, asyncio.Future[bytes]]] = {}
        self._watchers = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the loop on which the viewers are."""
        self._wakeup.attach(loop)

    def close(self) -> None:
        """End every `watch`; for any thread."""
        self._wakeup.close()

    def publish(self, result: Result) -> None:
        """Make `result` the newest; for any thread, done in microseconds. It is kept until the next one."""
        self._count += 1
        self._newest = (self._count, result)
        now_s = time.monotonic()
        if self._watchers and now_s >= self._due_s:
            self._due_s = max(self._due_s + _INTERVAL_S, now_s)
            self._wakeup.wake()

    async def newest(self, view: View) -> Picture | None:
        """Return the newest result's picture, or None before the first result."""
        return None if self._newest is None else await self._make(view, self._newest, since=self._newest[0] - 1)

    async def watch(self, view: View) -> AsyncIterator[Picture]:
        """Give pictures, 30 a second at most, each time the newest, until `close`."""
        since = 0
        self._watchers += 1
        try:
            while not self._wakeup.closed:
                woken = self._wakeup.next()
                if self._newest is not None and self._newest[0] > since:
                    picture = await self._make(view, self._newest, since)
                    since = picture.number
                    yield picture
                with suppress(TimeoutError):  # a result that came too soon after another wakes nobody
                    await asyncio.wait_for(woken.wait(), _LOOK_AGAIN_S)
        finally:
            self._watchers -= 1

    async def _make(self, view: View, newest: tuple[int, Result], since: int) -> Picture:
        """Join the picture of this view that is made or being made already, or have it made."""
        number, made = self._made.get(view, (-1, None))
        if made is None or number <= since:
            number, result = newest
            made = asyncio.get_running_loop().run_in_executor(self._worker, encode_view, result, view)
            self._forget_older_than(number)
            self._made[view] = (number, made)
        return Picture(number, await asyncio.shield(made))

    def _forget_older_than(self, number: int) -> None:
        self._made = {view: entry for view, entry in self._made.items() if entry[0] >= number or not entry[1].done()}
