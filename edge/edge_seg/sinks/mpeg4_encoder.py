"""MPEG-4 Part 2 packets from OpenCV's encoder, the one that every pip wheel of it carries.

OpenCV writes files only, and those it can be played from only once they are finished. So it is given
a named pipe: FFmpeg sees that it cannot seek, sends every frame at once, and framed as AVI chunks
(`00dc`, size, data: https://learn.microsoft.com/windows/win32/directshow/avi-riff-file-reference).
"""

import os
import queue
import struct
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from edge_seg.errors import SinkError
from edge_seg.images import RgbImage
from edge_seg.runtimes.quiet import quiet_stderr

_FOUR_CC = cv2.VideoWriter.fourcc(*"XVID")  # FFmpeg's own MPEG-4 encoder under the name that AVI knows
_ANSWER_S = 10.0
_VOP_START = b"\x00\x00\x01\xb6"
_GROUP_START = b"\x00\x00\x01\xb3"


@dataclass(frozen=True)
class Packet:
    """One encoded frame."""

    data: bytes

    @property
    def is_key(self) -> bool:
        """True when decoding can begin here: an intra-coded VOP (ISO/IEC 14496-2, 6.2.5)."""
        start = self.data.find(_VOP_START) + len(_VOP_START)
        return self.data[start] >> 6 == 0

    @property
    def decoder_config(self) -> bytes:
        """The sequence, object and layer headers in front of the first key frame."""
        ends = (self.data.find(mark) for mark in (_GROUP_START, _VOP_START))
        return self.data[: min(end for end in ends if end >= 0)]


class Mpeg4Encoder:
    """Turns pictures of one size into packets, each as soon as it is given."""

    def __init__(self, width: int, height: int, fps: float) -> None:
        """Start the encoder.

        Raises:
            SinkError: a size that it does not take.
            OSError: no pipe can be made.
        """
        self._even = (slice(height // 2 * 2), slice(width // 2 * 2))  # its colour planes have half the size
        with tempfile.TemporaryDirectory(prefix="edge-seg-") as folder:
            pipe = Path(folder) / "encoder.avi"
            os.mkfifo(pipe, 0o600)
            reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            with quiet_stderr():
                size = (width // 2 * 2, height // 2 * 2)
                self._writer = cv2.VideoWriter(str(pipe), cv2.CAP_FFMPEG, _FOUR_CC, fps, size)
        if not self._writer.isOpened():
            os.close(reader)
            raise SinkError(f"OpenCV cannot encode a video of {width}×{height}; write such frames to a folder")
        os.set_blocking(reader, True)
        self._packets: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._collect, args=(reader,), name="edge-seg encoder", daemon=True)
        self._thread.start()

    def encode(self, image: RgbImage) -> Packet:
        """Encode [height, width, 3] uint8 RGB; an odd last row or column is cut off.

        Raises:
            SinkError: the encoder gives no answer.
        """
        self._writer.write(np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR)[self._even]))
        try:
            return Packet(self._packets.get(timeout=_ANSWER_S))
        except queue.Empty:
            raise SinkError("OpenCV's encoder gave no answer; write to a folder instead") from None

    def close(self) -> None:
        """Stop the encoder. Harmless when done twice."""
        self._writer.release()
        self._thread.join()

    def _collect(self, reader: int) -> None:
        with open(reader, "rb") as stream:
            _skip_to_packets(stream)
            while (packet := _next_chunk(stream, b"00dc")) is not None:
                self._packets.put(packet)
            while stream.read(1 << 16):
                pass  # the index, which nobody needs


def _skip_to_packets(stream: BinaryIO) -> None:
    stream.read(12)  # RIFF size AVI
    while len(head := stream.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"LIST" and stream.read(4) == b"movi":
            return
        stream.read(size + size % 2 - (4 if name == b"LIST" else 0))


def _next_chunk(stream: BinaryIO, name: bytes) -> bytes | None:
    head = stream.read(8)
    if head[:4] != name:
        return None
    (size,) = struct.unpack("<I", head[4:])
    data = stream.read(size)
    stream.read(size % 2)
    return data
