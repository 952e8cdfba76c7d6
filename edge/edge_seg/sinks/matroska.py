"""Matroska as a live stream (RFC 9559): a header, then clusters that each can be played once written.

The segment's size is unknown, so a file that ends anywhere is played up to its last whole cluster.
Bytes in, bytes out.
"""

from collections.abc import Sequence

from edge_seg.sinks.fragmented_mp4 import TIMESCALE, Sample

_SECONDS_1970_TO_2001 = 978_307_200
_UNKNOWN_SIZE = b"\x01" + b"\xff" * 7
_TRACK = 1


def mkv_header(width: int, height: int, decoder_config: bytes, created_at: float) -> bytes:
    """Return what a file begins with; the arguments are those of `mp4_header`."""
    document = (
        *(_number(0x4286, 1), _number(0x42F7, 1), _number(0x42F2, 4), _number(0x42F3, 8)),
        *(_element(0x4282, b"matroska"), _number(0x4287, 4), _number(0x4285, 2)),
    )
    created_ns = int((created_at - _SECONDS_1970_TO_2001) * 1e9).to_bytes(8, "big", signed=True)
    info = (
        *(_number(0x2AD7B1, 1_000_000), _element(0x4461, created_ns)),  # time stamps in milliseconds
        *(_element(0x4D80, b"edge-seg"), _element(0x5741, b"edge-seg")),
    )
    track = (
        *(_number(0xD7, _TRACK), _number(0x73C5, _TRACK), _number(0x83, 1), _number(0x9C, 0)),
        *(_element(0x86, b"V_MPEG4/ISO/ASP"), _element(0x63A2, decoder_config)),
        _element(0xE0, _number(0xB0, width), _number(0xBA, height)),
    )
    segment = (0x18538067).to_bytes(4, "big") + _UNKNOWN_SIZE
    return (
        _element(0x1A45DFA3, *document)
        + segment
        + _element(0x1549A966, *info)
        + _element(0x1654AE6B, _element(0xAE, *track))
    )


def mkv_cluster(_: int, start: int, samples: Sequence[Sample]) -> bytes:
    """Return one cluster, of less than 32 s; the arguments are those of `mp4_fragment`."""
    blocks: list[bytes] = []
    ticks = start
    for item in samples:
        after_ms = _milliseconds(ticks) - _milliseconds(start)
        flags = b"\x80" if item.is_key else b"\0"
        blocks.append(_element(0xA3, bytes([0x80 | _TRACK]) + after_ms.to_bytes(2, "big") + flags, item.data))
        ticks += item.duration
    return _element(0x1F43B675, _number(0xE7, _milliseconds(start)), *blocks)


def _milliseconds(ticks: int) -> int:
    return round(ticks * 1000 / TIMESCALE)


def _number(name: int, value: int) -> bytes:
    return _element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _element(name: int, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    size = (len(payload) | 1 << 56).to_bytes(8, "big")
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + size + payload
