"""The word that viewers must know: where it comes from, and where it is needed."""

import os

from edge_seg.errors import SinkError
from edge_seg.web.address import Address

TOKEN_VARIABLE = "EDGE_SEG_TOKEN"


def token_from_environment() -> str | None:
    """Return the token that EDGE_SEG_TOKEN holds, or None.

    Raises:
        SinkError: what it holds can be no token.
    """
    token = os.environ.get(TOKEN_VARIABLE)
    return valid_token(token, TOKEN_VARIABLE) if token else None


def valid_token(text: str, where: str) -> str:
    """Return the token in `text` without the space around it.

    Raises:
        SinkError: it is no single word; the sentence names `where` it came from, never the token.
    """
    token = text.strip()
    if not token or not all("!" <= character <= "~" for character in token):
        raise SinkError(
            f"{where}: a token is one word of printable ASCII characters; make one with  openssl rand -hex 16"
        )
    return token


def check_token(address: Address, token: str | None) -> None:
    """Raise SinkError for an address that others can reach, without a token."""
    if token is None and not address.is_loopback:
        raise SinkError(
            f"{address.host}:{address.port}: others can reach this address, so the live page needs a token there; "
            f"give --token-file FILE or set {TOKEN_VARIABLE}, or serve on 127.0.0.1"
        )
