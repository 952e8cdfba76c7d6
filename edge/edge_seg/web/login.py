"""Coming in with a token: by form, by link, by bearer header; then by cookie."""

import asyncio
from http import HTTPStatus
from importlib.resources import files
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from edge_seg.web.access import Access, Attempts

_LARGEST_FORM_BYTES = 2048
_FORM_TIMEOUT_S = 10.0
_COOKIE_LIFE_S = 30 * 24 * 3600
_MESSAGE_PLACE = "<!-- message -->"


class Login:
    """Checks what requests bring. A client that guessed wrong five times within a minute must wait."""

    def __init__(self, access: Access, port: int, attempts: Attempts | None = None) -> None:
        self.access = access
        # Browsers share cookies between the ports of a host: two cameras on one must not log each other out.
        self._cookie = f"edge-seg-{port}"
        self._attempts = attempts or Attempts()
        self._page = (files("edge_seg.web") / "page" / "login.html").read_text(encoding="utf-8")

    def is_in(self, request: Request) -> bool:
        """True when nobody needs a token, or the request brings the cookie or the token as a bearer."""
        if not self.access.needs_token or self.access.is_session(request.cookies.get(self._cookie, "")):
            return True
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._check(request, token.strip())

    def unauthorised(self, request: Request) -> Response:
        """Refuse a machine."""
        if wait_s := self._wait_s(request):
            return PlainTextResponse("too many wrong tokens\n", 429, {"Retry-After": str(wait_s)})
        sentence = "log in at / with the token, or send it as  Authorization: Bearer TOKEN\n"
        return PlainTextResponse(sentence, 401, {"WWW-Authenticate": "Bearer"})

    def by_link(self, request: Request) -> Response:
        """Take the token of /?token=… out of the address and into a cookie."""
        return self._enter(request, request.query_params["token"])

    async def by_form(self, request: Request) -> Response:
        """Answer GET and POST /login."""
        if self.is_in(request):
            return RedirectResponse("/", 303)
        if request.method != "POST":
            return HTMLResponse(self._page)
        try:
            form = await asyncio.wait_for(_read_form(request), _FORM_TIMEOUT_S)
        except (ValueError, TimeoutError):
            return self._again("That was no login form.", HTTPStatus.BAD_REQUEST)
        return self._enter(request, form.get("token", [""])[0].strip())

    def _enter(self, request: Request, token: str) -> Response:
        if wait_s := self._wait_s(request):
            sentence = f"Too many wrong tokens; try again in {wait_s} s."
            return self._again(sentence, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(wait_s)})
        if not self._check(request, token):
            return self._again("That is not the token.", HTTPStatus.UNAUTHORIZED)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            self._cookie,
            self.access.session,
            max_age=_COOKIE_LIFE_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def _again(self, sentence: str, status: HTTPStatus, headers: dict[str, str] | None = None) -> Response:
        message = f'<p class="wrong" id="message" role="alert">{sentence}</p>'
        return HTMLResponse(self._page.replace(_MESSAGE_PLACE, message), status, headers)

    def _check(self, request: Request, token: str) -> bool:
        if self._wait_s(request):
            return False
        right = self.access.is_token(token)
        if not right:
            self._attempts.fail(_client(request))
        return right

    def _wait_s(self, request: Request) -> int:
        return round(self._attempts.wait_s(_client(request)) + 0.5)


async def _read_form(request: Request) -> dict[str, list[str]]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM_BYTES:
            raise ValueError
    return parse_qs(body.decode("ascii"), max_num_fields=4)


def _client(request: Request) -> str:
    return request.client.host if request.client else ""
