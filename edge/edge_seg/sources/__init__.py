"""Sources of frames, opened from a URI.

    photo.jpg                  one image
    photos/                    a folder of images, in the order of their names; watched for new ones if asked
    clip.mp4                   a video file, also http://host/clip.mp4: it is read whole, without dropping frames
    0, /dev/video0             a USB camera, also by a link such as /dev/v4l/by-id/…
    HD Pro Webcam C920         the same by its name, or a part of it; v4l2:NAME also waits for one that is not there yet
    picamera:0                 a Raspberry Pi CSI camera, by number or part of the sensor's name
    rtsp://…, rtsps://…        a network camera
    http://…, https://…        MJPEG, or an address of one JPEG that is asked for again and again

The cameras and streams are live: the newest frame wins, and they are opened again when they fail.
"""

import re
from collections.abc import Callable
from pathlib import Path

from edge_seg.errors import SourceError
from edge_seg.images import IMAGE_SUFFIXES
from edge_seg.sources.addresses import check_address, without_secrets
from edge_seg.sources.frame import Frame, Source, WaitingSource
from edge_seg.sources.options import SourceOptions

__all__ = ["VIDEO_SUFFIXES", "Frame", "Source", "SourceOptions", "WaitingSource", "open_source"]

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".mjpg", ".mjpeg"})
_HTTP_SCHEMES = ("http", "https")
_STREAM_SCHEMES = ("rtsp", "rtsps", "rtmp", "tcp", "udp", "rtp", "srt")
_NETWORK_VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi")

Report = Callable[[str], None]


def open_source(
    uri: str,
    options: SourceOptions | None = None,
    *,
    on_bad_image: Callable[[SourceError], None] | None = None,
    report: Report | None = None,
) -> Source:
    """Open a source.

    Args:
        uri: see this module's docstring.
        options: what is asked of it.
        on_bad_image: called for an image of a folder that cannot be decoded, which is then left out;
            without it such an image raises, or is reported when the folder is watched.
        report: takes a sentence when a live source fails, comes back, or gives other than was asked for;
            called from any thread.

    Raises:
        SourceError: nothing there, of no known kind, or it does not answer.
    """
    options, report = options or SourceOptions(), report or _keep_quiet
    scheme = uri.partition("://")[0].lower() if "://" in uri else ""
    if scheme:
        return _open_network(uri, scheme, options, report)
    if uri.isdecimal() or uri.startswith(("/dev/video", "/dev/v4l/", "v4l2:")):
        return _open_v4l2(uri.removeprefix("v4l2:"), options, report)
    if uri.startswith("picamera:"):
        return _open_picamera(uri.removeprefix("picamera:"), options, report)
    path = Path(uri)
    if not path.exists() and _is_camera_name(uri):
        return _open_v4l2(uri, options, report)
    return _open_path(path, options, on_bad_image, report)


def _open_network(uri: str, scheme: str, options: SourceOptions, report: Report) -> Source:
    check_address(uri)
    if scheme not in (*_HTTP_SCHEMES, *_STREAM_SCHEMES):
        raise SourceError(
            f"{without_secrets(uri)}: no source goes by '{scheme}://'; "
            "give a file, a folder, a camera number, picamera:0, http:// or rtsp://"
        )
    is_video = uri.partition("?")[0].lower().endswith(_NETWORK_VIDEO_SUFFIXES)
    if scheme in _HTTP_SCHEMES and is_video:
        from edge_seg.sources.video import open_network_video

        return open_network_video(uri)
    from edge_seg.sources.ffmpeg import FfmpegCamera
    from edge_seg.sources.live import open_live
    from edge_seg.sources.mjpeg import HttpCamera

    camera = FfmpegCamera(uri, options)
    return open_live(HttpCamera(uri, options, camera) if scheme in _HTTP_SCHEMES else camera, options, report)


def _open_v4l2(wanted: str, options: SourceOptions, report: Report) -> Source:
    from edge_seg.sources.live import open_live
    from edge_seg.sources.v4l2 import V4l2Camera

    return open_live(V4l2Camera(wanted, options, report), options, report)


def _open_picamera(wanted: str, options: SourceOptions, report: Report) -> Source:
    from edge_seg.sources.live import open_live
    from edge_seg.sources.picamera import PiCamera

    return open_live(PiCamera(wanted, options), options, report)


def _is_camera_name(text: str) -> bool:
    from edge_seg.sources.v4l2_devices import video_devices

    return bool(re.search(r"\w", text)) and any(text.casefold() in each.name.casefold() for each in video_devices())


def _open_path(
    path: Path, options: SourceOptions, on_bad_image: Callable[[SourceError], None] | None, report: Report
) -> Source:
    from edge_seg.sources.images import open_folder, open_image

    if options.watch:
        return _open_watched(path, on_bad_image, report)
    if path.is_dir():
        return open_folder(path, on_bad_image)
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder; give an image, a folder, a video, a camera number or a URL")
    if path.suffix.lower() in VIDEO_SUFFIXES:
        from edge_seg.sources.video import open_video

        return open_video(path)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return open_image(path)
    raise SourceError(
        f"{path}: '{path.suffix}' is the suffix of no image and no video this program reads; "
        f"images end in {' '.join(sorted(IMAGE_SUFFIXES))}, videos in {' '.join(sorted(VIDEO_SUFFIXES))}"
    )


def _open_watched(path: Path, on_bad_image: Callable[[SourceError], None] | None, report: Report) -> Source:
    from edge_seg.sources.watch import WatchedFolder

    if not path.is_dir():
        raise SourceError(f"{path}: no folder, and only folders can be watched; make it first or leave --watch out")
    return WatchedFolder(path, on_bad_image or (lambda error: report(f"left out: {error}")), report)


def _keep_quiet(_sentence: str) -> None:
    """Report nothing."""
