"""The live page as an output: results go in, browsers look."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from edge_seg.classes import SegmentationClass
from edge_seg.drawing import DEFAULT_OPACITY
from edge_seg.result import Result
from edge_seg.telemetry import Telemetry
from edge_seg.web.access import Access
from edge_seg.web.address import Address, listen, reachable_url
from edge_seg.web.app import Page, make_app
from edge_seg.web.login import Login
from edge_seg.web.messages import hello_message
from edge_seg.web.metrics import Metrics
from edge_seg.web.pictures import Pictures
from edge_seg.web.server import ServerThread
from edge_seg.web.token import check_token, token_from_environment
from edge_seg.web.wakeup import Wakeup


class LivePage:
    """A sink that serves a web page. `write` takes microseconds: all work is done when somebody looks."""

    needs_main_thread = False

    def __init__(
        self,
        address: Address,
        classes: Sequence[SegmentationClass],
        telemetry: Telemetry,
        *,
        token: str | None = None,
        title: str = "camera",
        opacity: float = DEFAULT_OPACITY,
    ) -> None:
        """Serve at once.

        Args:
            address: port 0 takes a free one.
            classes: the model's.
            telemetry: what the page tells; it must observe the same run.
            token: what viewers must know; needed unless `address` is a loopback one.
            title: what the page is headed.
            opacity: of the class colours, until a viewer chooses another.

        Raises:
            SinkError: no token for an address others can reach, or the address cannot be served on.
        """
        check_token(address, token)
        listener = listen(address)
        port = listener.getsockname()[1]
        self.url = reachable_url(address, port)
        self._telemetry, self._wakeup = telemetry, Wakeup()
        self._worker = ThreadPoolExecutor(1, "edge-seg-jpeg")
        self._pictures = Pictures(self._worker)
        page = Page(
            classes=classes,
            telemetry=telemetry,
            pictures=self._pictures,
            wakeup=self._wakeup,
            metrics=Metrics(telemetry, lambda: page.watching.taken),
            hello=lambda: hello_message(title, classes, opacity, telemetry),
        )
        self._server = ServerThread(
            make_app(page, Login(Access(token), port)),
            listener,
            on_start=self._attach,
        )
        telemetry.listen(self._wakeup.wake)
        self._server.start()

    def write(self, result: Result) -> None:
        """Show `result` to whoever looks."""
        self._pictures.publish(result)

    def close(self) -> None:
        """Tell the viewers that the run has ended, and stop within a second. Harmless when done twice."""
        self._telemetry.end()
        self._wakeup.close()
        self._pictures.close()
        self._server.stop()
        self._worker.shutdown()

    def _attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._wakeup.attach(loop)
        self._pictures.attach(loop)


class ObservedPage:
    """A live page whose telemetry is fed by what is written to it, for runs without other observers."""

    needs_main_thread = False

    def __init__(self, address: Address, classes: Sequence[SegmentationClass]) -> None:
        """Serve at once; the token, if any, is the environment's EDGE_SEG_TOKEN.

        Raises:
            SinkError: as LivePage does.
        """
        self._telemetry = Telemetry([item.name for item in classes])
        self._page = LivePage(address, classes, self._telemetry, token=token_from_environment())
        self.url = self._page.url

    def write(self, result: Result) -> None:
        """Count and show `result`."""
        self._telemetry.observe(result)
        self._page.write(result)

    def close(self) -> None:
        """Stop serving."""
        self._page.close()
