"""The options of the live page, and the page that is made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.errors import SinkError
from edge_seg.extras import require_extra
from edge_seg.web.address import Address, is_page, parse_address
from edge_seg.web.token import TOKEN_VARIABLE, check_token, token_from_environment, valid_token

if TYPE_CHECKING:
    from edge_seg.classes import SegmentationClass
    from edge_seg.telemetry import Telemetry
    from edge_seg.web.live_page import LivePage

_PANEL = "Live page"

ServeOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Show the camera in browsers at this address, with metrics at /metrics: 127.0.0.1:8080  [::1]:8080  "
        "0.0.0.0:8080. What others can reach needs a token.",
        rich_help_panel=_PANEL,
    ),
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        help="File that holds the token viewers must give; make one with  "
        "(umask 077; openssl rand -hex 16 > token.txt)",
        rich_help_panel=_PANEL,
    ),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        help=f"The token itself. Every user of this machine sees it in ps: better is --token-file, or {TOKEN_VARIABLE} "
        "in the environment.",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class PageOptions:
    """Where the live page is served, and what viewers must know."""

    address: Address
    token: str | None


def page_options(serve: str | None, token: str | None, token_file: Path | None) -> PageOptions | None:
    """Check the options of the live page; None when there is to be none.

    Raises:
        SinkError: no address, a token that cannot be one, or none where one is needed.
        MissingExtraError: the extra `web` is not installed.
    """
    if serve is None:
        if token or token_file:
            raise SinkError("--token and --token-file belong to the live page; give --serve 127.0.0.1:8080, too")
        return None
    address, secret = parse_address(serve), read_token(token, token_file)
    check_token(address, secret)
    require_extra("web", purpose="the live page of --serve")
    return PageOptions(address, secret)


def split_serve(serve: str | None, outs: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take an http:// address out of the outputs: `--out http://127.0.0.1:8080` is `--serve 127.0.0.1:8080`.

    Raises:
        SinkError: more than one address.
    """
    addresses = [uri for uri in outs if is_page(uri)]
    given = [*([] if serve is None else [serve]), *addresses]
    if len(given) > 1:
        raise SinkError(f"the live page is served at one address, but there are {len(given)}: {', '.join(given)}")
    return (given[0] if given else None), [uri for uri in outs if uri not in addresses]


def read_token(token: str | None, token_file: Path | None) -> str | None:
    """Return the token from the option, the file or the environment; None when none of them has one.

    Raises:
        SinkError: two are given, the file cannot be read, or what it holds can be no token.
    """
    if token is not None and token_file is not None:
        raise SinkError("--token and --token-file are both given; one of them is enough")
    if token_file is not None:
        return valid_token(_read(token_file), str(token_file))
    if token is not None:
        return valid_token(token, "--token")
    return token_from_environment()


def open_page(
    options: PageOptions, classes: "Sequence[SegmentationClass]", telemetry: "Telemetry", *, title: str, opacity: float
) -> "LivePage":
    """Serve the live page and say where.

    Raises:
        SinkError: the address cannot be served on.
    """
    from edge_seg.web.live_page import LivePage

    page = LivePage(
        options.address,
        classes,
        telemetry,
        token=options.token,
        title=title,
        opacity=opacity,
    )
    typer.echo(f"live page: {page.url}{'  (asks for the token)' if options.token else ''}", err=True)
    return page


def _read(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o004:
            typer.echo(f"{path}: every user of this machine can read the token; type  chmod 600 {path}", err=True)
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SinkError(f"{path}: the token cannot be read ({reason}); give a text file with one line") from None
