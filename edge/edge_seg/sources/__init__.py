"""Sources of frames, opened from a URI.

photo.jpg               one image
photos/                 a folder of images, in the order of their names
clip.mp4                a video file
0, /dev/video0          a USB camera
http://…, rtsp://…      a network stream (MJPEG, RTSP); an http address that ends in a video
                        suffix is a file: it is read whole, without dropping frames
"""

import re
from collections.abc import Callable
from pathlib import Path

from edge_seg.errors import SourceError
from edge_seg.images import IMAGE_SUFFIXES
from edge_seg.sources.frame import Frame, Source

__all__ = ["VIDEO_SUFFIXES", "Frame", "Source", "open_source"]

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".mjpg", ".mjpeg"})
_STREAM_SCHEMES = ("http://", "https://", "rtsp://", "rtsps://", "rtmp://", "tcp://", "udp://")


def open_source(uri: str, *, on_bad_image: Callable[[SourceError], None] | None = None) -> Source:
    """Open a source.

    Args:
        uri: see this module's docstring.
        on_bad_image: called for an image of a folder that cannot be decoded, which is then left out;
            without it such an image raises.

    Raises:
        SourceError: nothing there, of no known kind, or it does not answer.
    """
    if uri.lower().startswith(_STREAM_SCHEMES):
        return _open_stream(uri)
    if uri.isdecimal() or re.fullmatch(r"/dev/video\d+", uri):
        from edge_seg.sources.capture import open_camera

        return open_camera(uri)
    if "://" in uri:
        scheme = uri.partition("://")[0]
        raise SourceError(
            f"{uri}: no source goes by '{scheme}://'; give a file, a folder, a camera number, http:// or rtsp://"
        )
    return _open_path(Path(uri), on_bad_image)


def _open_stream(uri: str) -> Source:
    from edge_seg.sources.capture import open_network_file, open_stream

    path = uri.partition("?")[0].lower()
    is_file = path.startswith("http") and path.endswith((".mp4", ".mkv", ".mov", ".webm", ".avi"))
    return open_network_file(uri) if is_file else open_stream(uri)


def _open_path(path: Path, on_bad_image: Callable[[SourceError], None] | None) -> Source:
    from edge_seg.sources.images import open_folder, open_image

    if path.is_dir():
        return open_folder(path, on_bad_image)
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder; give an image, a folder, a video, a camera number or a URL")
    if path.suffix.lower() in VIDEO_SUFFIXES:
        from edge_seg.sources.capture import open_video

        return open_video(path)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return open_image(path)
    raise SourceError(
        f"{path}: '{path.suffix}' is the suffix of no image and no video this program reads; "
        f"images end in {' '.join(sorted(IMAGE_SUFFIXES))}, videos in {' '.join(sorted(VIDEO_SUFFIXES))}"
    )
