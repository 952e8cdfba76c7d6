"""Why a connection fails, in words."""

import socket
import ssl

from edge_seg.sources.capture import LONGEST_SILENCE_S


def reason_of(error: OSError) -> str:
    """Return what went wrong with a connection, without its address."""
    if isinstance(error, TimeoutError):
        return f"did not answer within {LONGEST_SILENCE_S:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "refused the connection"
    if isinstance(error, ConnectionError):
        return "hung up"
    if isinstance(error, socket.gaierror):
        return "no machine of that name is known here"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection ({error.reason or error})"
    return error.strerror or str(error)


def quoted(text: str) -> str:
    """Return words of a server as one line of at most 120 characters, without what would steer a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:120]
