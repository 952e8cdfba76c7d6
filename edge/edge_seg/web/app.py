"""The routes of the live page.

/               the page                       /login         the form that asks for the token
/stream.mjpeg   the picture, motion JPEG       /snapshot.jpg  the newest picture, once
/events         server-sent events             /state.json    how the run stands, once
/metrics        Prometheus                     /healthz       200 while pictures come, else 503; no token needed
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from edge_seg.classes import SegmentationClass
from edge_seg.telemetry import Telemetry
from edge_seg.web.guard import Guard
from edge_seg.web.login import Login
from edge_seg.web.messages import state_message
from edge_seg.web.metrics import Metrics
from edge_seg.web.pictures import Pictures
from edge_seg.web.streams import EVENTS_TYPE, MJPEG_TYPE, SeatedStream, Seats, events, motion_jpeg
from edge_seg.web.view import View, parse_view
from edge_seg.web.wakeup import Wakeup

MOST_VIEWERS = 32
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Page:
    """What the routes answer from."""

    classes: Sequence[SegmentationClass]
    telemetry: Telemetry
    pictures: Pictures
    wakeup: Wakeup
    metrics: Metrics
    hello: Callable[[], dict[str, Any]]
    watching: Seats = field(default_factory=lambda: Seats(MOST_VIEWERS))
    listening: Seats = field(default_factory=lambda: Seats(MOST_VIEWERS))


def make_app(page: Page, login: Login) -> Starlette:
    """Assemble the application."""
    assets = load_assets()

    async def stream(request: Request) -> Response:
        view = _view(request, page.classes)
        if isinstance(view, Response):
            return view
        return SeatedStream(motion_jpeg(page.pictures, view), page.watching, MJPEG_TYPE)

    async def snapshot(request: Request) -> Response:
        view = _view(request, page.classes)
        if isinstance(view, Response):
            return view
        picture = await page.pictures.newest(view)
        if picture is None:
            return PlainTextResponse("there is no picture yet; try again in a moment\n", 503, {"Retry-After": "1"})
        name = f"edge-seg-{datetime.now():%Y%m%d-%H%M%S}.jpg"
        return Response(picture.jpeg, 200, {"Content-Disposition": f'inline; filename="{name}"'}, "image/jpeg")

    async def event_stream(_: Request) -> Response:
        content = events(page.hello(), page.telemetry, page.wakeup, page.watching)
        return SeatedStream(content, page.listening, EVENTS_TYPE)

    async def state(_: Request) -> Response:
        return JSONResponse(state_message(page.telemetry.state(), page.watching.taken))

    async def metrics(request: Request) -> Response:
        text, content_type = page.metrics.render(request.headers.get("accept", ""))
        return Response(text, 200, {"Content-Type": content_type})

    async def health(_: Request) -> Response:
        condition = page.telemetry.state().source.condition
        return PlainTextResponse(f"{condition}\n", 200 if condition == "live" else 503)

    async def asset(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        return assets.get(name) or PlainTextResponse("there is nothing here\n", 404)

    return Starlette(
        routes=[
            Route("/", asset),
            Route("/login", login.by_form, methods=["GET", "POST"]),
            Route("/stream.mjpeg", stream),
            Route("/snapshot.jpg", snapshot),
            Route("/events", event_stream),
            Route("/state.json", state),
            Route("/metrics", metrics),
            Route("/healthz", health),
            Route("/assets/{name}", asset),
        ],
        middleware=[Middleware(Guard, login=login)],
    )


def load_assets() -> Mapping[str, Response]:
    """Read the page's files from the package; they are few and small."""
    folder = files("edge_seg.web") / "page"
    return {
        file.name: Response(file.read_bytes(), media_type=_MEDIA_TYPES[f".{file.name.rpartition('.')[2]}"])
        for file in folder.iterdir()
        if file.name != "login.html"
    }


def _view(request: Request, classes: Sequence[SegmentationClass]) -> View | Response:
    try:
        return parse_view(request.query_params, classes)
    except ValueError as error:
        return PlainTextResponse(f"{error}\n", 400)
