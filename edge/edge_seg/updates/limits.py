"""What a server may cost a device."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of time and space; the defaults let a model through a slow mobile connection."""

    connect_s: float = 10.0
    """For the connection, and again for its encryption."""
    silence_s: float = 20.0
    """Without a byte."""
    window_s: float = 30.0
    """Over every such span, headers and all, a server has to keep up `lowest_bytes_per_s`, or it is given up."""
    lowest_bytes_per_s: float = 500.0
    keep_free_bytes: int = 64_000_000
    """What stays free of the disk when the model is there."""
