"""Fragmented MP4 (ISO/IEC 14496-12): a header, then fragments that each can be played once written.

    ftyp moov | moof mdat | moof mdat | …

Nothing that was written is changed by what comes later, so a file that ends anywhere is played up to
its last whole fragment. Every frame has a duration of its own. Bytes in, bytes out.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

TIMESCALE = 90_000
"""Ticks per second: exact for the usual frame rates."""

_TRACK = 1
_UNITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_SECONDS_1904_TO_1970 = 2_082_844_800
_KEY, _NOT_KEY = 0x02000000, 0x01010000


@dataclass(frozen=True)
class Sample:
    """One encoded frame and for how long it is shown, in ticks."""

    data: bytes
    duration: int
    is_key: bool


def mp4_header(width: int, height: int, decoder_config: bytes, created_at: float) -> bytes:
    """Return what a file begins with.

    Args:
        width: of the picture in pixels.
        height: of the picture in pixels.
        decoder_config: MPEG-4 Part 2 sequence, object and layer headers.
        created_at: seconds since 1970.
    """
    created = int(created_at) + _SECONDS_1904_TO_1970
    times = struct.pack(">II", created, created)
    movie = _full(
        "mvhd", 0, times, struct.pack(">IIIH10x", TIMESCALE, 0, 0x10000, 0x100), _UNITY, bytes(24), _u32(_TRACK + 1)
    )
    extends = _box("mvex", _full("trex", 0, struct.pack(">5I", _TRACK, 1, 0, 0, 0)))
    brands = _box("ftyp", b"isom", _u32(512), b"isomiso6mp41")
    return brands + _box("moov", movie, _track(width, height, decoder_config, times), extends)


def mp4_fragment(number: int, start: int, samples: Sequence[Sample]) -> bytes:
    """Return one fragment.

    Args:
        number: counts from 1.
        start: when its first sample is shown, in ticks.
        samples: in order.
    """
    rows = b"".join(
        struct.pack(">III", item.duration, len(item.data), _KEY if item.is_key else _NOT_KEY) for item in samples
    )

    def head(offset: int) -> bytes:
        run = _full("trun", 0x000701, struct.pack(">Ii", len(samples), offset), rows)
        begins = _box("tfdt", struct.pack(">IQ", 1 << 24, start))
        track = _box("traf", _full("tfhd", 0x020000, _u32(_TRACK)), begins, run)
        return _box("moof", _full("mfhd", 0, _u32(number)), track)

    return head(len(head(0)) + 8) + _box("mdat", *(item.data for item in samples))


def _track(width: int, height: int, decoder_config: bytes, times: bytes) -> bytes:
    size = struct.pack(">II", width << 16, height << 16)
    header = _full("tkhd", 7, times, struct.pack(">II", _TRACK, 0), bytes(20), _UNITY, size)
    language = struct.pack(">IIHH", TIMESCALE, 0, 0x55C4, 0)
    handler = _full("hdlr", 0, bytes(4), b"vide", bytes(12), b"edge-seg\0")
    here = _box("dinf", _full("dref", 0, _u32(1), _full("url ", 1)))
    tables = _box(
        "stbl",
        _full("stsd", 0, _u32(1), _sample_entry(width, height, decoder_config)),
        *(_full(name, 0, _u32(0)) for name in ("stts", "stsc", "stco")),
        _full("stsz", 0, bytes(8)),
    )
    media = _box("minf", _full("vmhd", 1, bytes(8)), here, tables)
    return _box("trak", header, _box("mdia", _full("mdhd", 0, times, language), handler, media))


def _sample_entry(width: int, height: int, decoder_config: bytes) -> bytes:
    """Return the `mp4v` entry with its elementary stream descriptor (ISO/IEC 14496-14, 14496-1 section 7.2.6)."""
    visual_stream = struct.pack(">BB3xII", 0x20, 0x11, 0, 0)
    decoder = _descriptor(4, visual_stream + _descriptor(5, decoder_config))
    stream = _descriptor(3, struct.pack(">HB", _TRACK, 0) + decoder + _descriptor(6, b"\x02"))
    picture = struct.pack(">6xH16xHHII4xH32xHh", 1, width, height, 0x480000, 0x480000, 1, 0x18, -1)
    return _box("mp4v", picture, _full("esds", 0, stream))


def _descriptor(tag: int, payload: bytes) -> bytes:
    size = len(payload)
    return (
        bytes([tag, size >> 21 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size & 0x7F]) + payload
    )


def _box(name: str, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    return struct.pack(">I4s", len(payload) + 8, name.encode()) + payload


def _full(name: str, flags: int, *parts: bytes) -> bytes:
    return _box(name, _u32(flags), *parts)


def _u32(value: int) -> bytes:
    return struct.pack(">I", value)
