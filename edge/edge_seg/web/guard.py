"""What every request passes first: methods, hosts, sites, the token; and the headers of every answer."""

import ipaddress
import logging
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_seg.web.login import Login

_LOG = logging.getLogger(__name__)

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data:; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_LARGEST_HEAD_BYTES = 16 * 1024
_OPEN_PATHS = ("/login", "/healthz", "/assets/")


class Guard:
    """ASGI middleware that lets a request through to the page or answers it itself."""

    def __init__(self, app: ASGIApp, login: Login) -> None:
        self._app, self._login = app, login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request, started = Request(scope), False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(raw=list(message["headers"]))
                headers.update(_HEADERS)
                message = {**message, "headers": headers.raw}
            await send(message)

        try:
            answer: ASGIApp = self._refusal(request) or self._app
            await answer(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 - a defect of the page is one line, never a traceback, and never the camera's
            _LOG.error("the live page could not answer %s %s: %r", request.method, request.url.path, error)
            if not started:
                await PlainTextResponse("this is a defect of the page\n", 500)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that may not pass, or None."""
        return self._misuse(request) or self._token_wanted(request)

    def _misuse(self, request: Request) -> Response | None:
        methods = ("GET", "HEAD", "POST") if request.url.path == "/login" else ("GET", "HEAD")
        if request.method not in methods:
            return PlainTextResponse("only GET and HEAD are answered\n", 405, {"Allow": ", ".join(methods)})
        if _head_bytes(request) > _LARGEST_HEAD_BYTES:
            return PlainTextResponse("the request's head is too large\n", 431)
        if not self._login.access.needs_token and not is_loopback_host(request.headers.get("host", "")):
            return PlainTextResponse("this page is served to this machine alone, as localhost or 127.0.0.1\n", 421)
        if comes_from_elsewhere(request):
            return PlainTextResponse("other sites may link to this page, not load parts of it\n", 403)
        return None

    def _token_wanted(self, request: Request) -> Response | None:
        path = request.url.path
        if path == "/" and "token" in request.query_params and self._login.access.needs_token:
            return self._login.by_link(request)
        if path.startswith(_OPEN_PATHS) or self._login.is_in(request):
            return None
        return RedirectResponse("/login", 303) if path == "/" else self._login.unauthorised(request)


def _head_bytes(request: Request) -> int:
    fields = sum(len(name) + len(value) for name, value in request.headers.raw)
    return fields + len(request.scope["raw_path"]) + len(request.scope["query_string"])


def is_loopback_host(host: str) -> bool:
    """True for a Host header that no name server can make point here: the defence against DNS rebinding."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def comes_from_elsewhere(request: Request) -> bool:
    """True for what another site's page loads or sends, as browsers say: https://www.w3.org/TR/fetch-metadata/."""
    foreign = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    follows_link = request.headers.get("sec-fetch-mode") == "navigate" and request.method == "GET"
    return foreign and not follows_link
