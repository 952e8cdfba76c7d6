"""`edge-seg camera --collect DIR`: a folder of pictures with a VIA project, ready to correct and train on.

DIR/via.json                      the project: every picture with the model's answer as polygons
DIR/2026-03-01T14-05-09.250.jpg   the frames as the camera gave them, named after their capture (UTC)
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from edge_seg.collecting.diversity import KeptFrames, Look
from edge_seg.collecting.limits import CollectLimits
from edge_seg.collecting.project import GrowingProject
from edge_seg.collecting.restoring import kept_looks
from edge_seg.collecting.selection import Pace, RunningShare
from edge_seg.errors import SinkError
from edge_seg.exporters import Labels, Picture
from edge_seg.files import remove_parts, write_bytes
from edge_seg.images import ClassMap, RgbImage, encode_jpeg
from edge_seg.prelabelling import half_an_input_pixel, outline
from edge_seg.resampling import shrink_image
from edge_seg.result import Result
from edge_seg.scores import ScoreMap
from edge_seg.segmenter import Segmenter
from edge_seg.sinks.faults import check_output, sink_error
from edge_seg.sources.media_time import FrameClock
from edge_seg.uncertainty import flicker, uncertainty

PROJECT_NAME = "via.json"
_JPEG_QUALITY = 95
_LEAST_FLICKER = 0.005


class CollectSink:
    """Keeps the frames that the model is unsure of: a thread of the pipeline's writes it, beside the camera."""

    needs_main_thread = False

    def __init__(
        self,
        folder: Path,
        segmenter: Segmenter,
        clock: FrameClock,
        limits: CollectLimits | None = None,
        *,
        on_full: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Open a folder, which may hold what earlier runs kept.

        Args:
            folder: made with the first kept frame.
            segmenter: the model whose results come.
            clock: tells when a frame was taken.
            limits: how much is kept.
            on_full: told, in a sentence, when no more is kept.

        Raises:
            SinkError: the folder cannot be written into, its via.json is no VIA project, or the model
                gives no scores to be unsure by.
            DatasetError: the model's class names cannot be labels.
        """
        if segmenter.output_format.kind == "classes":
            raise SinkError(
                f"{folder}: nothing can be collected with '{segmenter.name}', whose answer is class ids without "
                "scores; take a model that gives scores, as  edge-seg convert  makes them by default"
            )
        check_output(folder, folder)
        self._folder, self._limits, self._clock, self._on_full = folder, limits or CollectLimits(), clock, on_full
        self._input_size = segmenter.input_size
        self._labels = Labels.of(segmenter.classes)
        self._project = GrowingProject(folder / PROJECT_NAME, self._labels)
        self._project.pictures()
        self._kept: KeptFrames | None = None
        self._pace = Pace(self._limits.every_s)
        self._reasons = _Reasons(segmenter.input_size)
        self._told_full = False

    def write(self, result: Result) -> None:
        """Look at one result, and keep its frame if it is worth it.

        Raises:
            SinkError: the picture or the project cannot be written; both are as they were.
        """
        now_s = self._clock(result.frame)
        if not self._pace.may_look(now_s):
            return
        scores = result.segmentation.scores
        why = self._reasons.why(scores, result.frame.image) if scores is not None else None
        if why and self._pace.may_keep(now_s) and self._has_room():
            self._keep_unless_known(result, why, now_s)

    def close(self) -> None:
        """Do nothing: every file is whole already."""

    def _keep_unless_known(self, result: Result, why: str, now_s: float) -> None:
        look = Look.of(result.frame.image, result.segmentation.class_map)
        if self._kept is None:
            self._kept = self._restored()
        if self._kept.has_like(look):
            self._pace.kept_before(now_s)
            return
        self._keep(result, why)
        self._kept.add(look)
        self._pace.kept(now_s)

    def _restored(self) -> KeptFrames:
        kept = KeptFrames(self._labels.canvas_id)
        remove_parts(self._folder)
        for look in kept_looks(self._folder, self._project.pictures(), self._labels):
            kept.add(look)
        return kept

    def _keep(self, result: Result, why: str) -> None:
        taken = datetime.fromtimestamp(result.frame.captured_at, UTC)
        class_map = result.segmentation.class_map
        path = _write_picture(self._folder, f"{taken:%Y-%m-%dT%H-%M-%S}.{taken.microsecond // 1000:03}", result)
        tolerance_px = half_an_input_pixel(self._input_size, class_map.shape)
        outlines = outline(class_map, self._labels.canvas_id, tolerance_px=tolerance_px)
        attributes = {"captured": taken.isoformat(timespec="milliseconds"), "why": why}
        try:
            self._project.add(Picture.of(path, class_map), outlines, attributes)
        except SinkError:
            path.unlink(missing_ok=True)
            raise

    def _has_room(self) -> bool:
        pictures = self._project.pictures()
        size_bytes = sum(int(item.get("size", 0)) for item in pictures)
        room = len(pictures) < self._limits.most_frames and size_bytes < self._limits.most_bytes
        if not room and not self._told_full:
            self._on_full(
                f"{self._folder}: holds {len(pictures)} frames, {size_bytes / 1e6:.0f} MB, and takes no more; "
                "correct them and move the folder away, or raise --collect-most and --collect-megabytes"
            )
        self._told_full = not room
        return room


class _Reasons:
    """Judges every look by those before it."""

    def __init__(self, input_size: tuple[int, int]) -> None:
        self._input_size = input_size
        self._unsure, self._unsteady = RunningShare(), RunningShare(floor=_LEAST_FLICKER)
        self._last: tuple[ClassMap, ClassMap] | None = None

    def why(self, scores: ScoreMap, image: RgbImage) -> str | None:
        """Return why a frame is worth keeping, None when it is not."""
        unsure, unsteady = uncertainty(scores), self._flicker(scores.class_map, image)
        reasons = [
            f"unsure: margin {1 - unsure:.2f}" if self._unsure.add(unsure) else "",
            f"flicker: {unsteady:.1%} of a still picture" if self._unsteady.add(unsteady) else "",
        ]
        return ", ".join(filter(None, reasons)) or None

    def _flicker(self, class_map: ClassMap, image: RgbImage) -> float:
        grey = np.asarray(cv2.cvtColor(shrink_image(image, *class_map.shape), cv2.COLOR_RGB2GRAY), np.uint8)
        before, self._last = self._last, (class_map, grey)
        if before is None or before[0].shape != class_map.shape:  # of another model than the one before
            return 0.0
        return flicker(before[0], class_map, before[1], grey)


def _write_picture(folder: Path, stem: str, result: Result) -> Path:
    """Write a frame under the first free name."""
    names = (f"{stem}{suffix}.jpg" for suffix in ("", *(f"_{number}" for number in range(2, 1000))))
    path = next(folder / name for name in names if not (folder / name).exists())
    try:
        write_bytes(path, encode_jpeg(result.frame.image, _JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444))
    except OSError as error:
        raise sink_error(path, error) from None
    return path
