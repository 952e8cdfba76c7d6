"""A project of VGG Image Annotator 2, with simplified polygons that are easy to correct.

    {"_via_settings": …, "_via_attributes": …, "_via_data_format_version": "2.0.10",
     "_via_img_metadata": {"x.jpg1234": {"filename": "x.jpg", "size": 1234, "regions": […]}, …},
     "_via_image_id_list": ["x.jpg1234", …]}

The region attribute `class` names the class. Regions lie over earlier ones; a region of the
background is a hole. VIA knows a picture by its name and its size in bytes, and looks
for it along `default_filepath` from where its own via.html lies, best beside the project.
"""

import json
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from edge_seg.dataset import Dataset, Sample
from edge_seg.exporters.labels import Labels, refuse_existing
from edge_seg.exporters.picture import Picture
from edge_seg.files import atomic_path
from edge_seg.outlines import Outlines, Pen, class_iou, draw, paint
from edge_seg.parallel import map_in_processes
from edge_seg.progress import Track, untracked

LABEL_ATTRIBUTE = "class"


class ViaProject:
    """An open project file; pictures are written as they are added."""

    def __init__(self, stream: TextIO, name: str, labels: Labels, images: str) -> None:
        self._stream, self._labels = stream, labels
        self._keys: list[str] = []
        head = project_head(name, labels, images)
        self._stream.write("{" + "".join(f"{_json(key)}:{_json(value)},\n" for key, value in head.items()))
        self._stream.write('"_via_img_metadata":{')

    def add(self, picture: Picture, outlines: Outlines) -> None:
        """Append one picture with its regions."""
        key, entry = picture_entry(picture, outlines, self._labels)
        self._stream.write(f"{',' if self._keys else ''}\n{_json(key)}:{_json(entry)}")
        self._keys.append(key)

    def finish(self) -> None:
        """Write what follows the pictures."""
        self._stream.write(f'}},\n"_via_image_id_list":{_json(self._keys)}}}\n')


@contextmanager
def via_project(file: Path, images: Path, labels: Labels) -> Generator[ViaProject]:
    """Open a new project file; it appears under its name when the block ends without an error.

    Args:
        file: the JSON file to write.
        images: the folder of the pictures; the project leads there from the folder of `file`.
        labels: names of the ids.

    Raises:
        DatasetError: `file` exists.
    """
    refuse_existing(file)
    path = Path(os.path.relpath(images.resolve(), file.resolve().parent)).as_posix()
    with atomic_path(file) as temporary, temporary.open("w", encoding="utf-8") as stream:
        project = ViaProject(stream, file.stem, labels, f"{path}/")
        yield project
        project.finish()


@dataclass(frozen=True)
class DrawingReport:
    """How pictures became polygons.

    Attributes:
        pictures, regions, points: how many were written.
        mean_iou: IoU of the polygons with the masks, the mean over pictures and their classes.
        worst_iou: the lowest IoU of a class in a picture.
        worst_picture: that picture's file name.
    """

    pictures: int
    regions: int
    points: int
    mean_iou: float
    worst_iou: float
    worst_picture: str


def export_via(
    dataset: Dataset, samples: Sequence[Sample], file: Path, pen: Pen, *, track: Track = untracked
) -> DrawingReport:
    """Write the masks of `samples` as a VIA 2 project.

    Raises:
        DatasetError: `file` exists, or a mask does not fit its picture or its classes.
        ImageError: a picture or mask that cannot be decoded.
    """
    labels = Labels.of(dataset.classes, dataset.ignore_id)
    drawings = map_in_processes(partial(_drawing, dataset, labels.canvas_id, pen), samples)
    regions = points = 0
    ious: list[float] = []
    worst = (1.0, "")
    with via_project(file, dataset.folder / "images", labels) as project:
        for picture, outlines, of_classes in track(drawings, total=len(samples)):
            project.add(picture, outlines)
            regions, points = regions + len(outlines.regions), points + outlines.point_count
            ious.append(sum(of_classes) / len(of_classes))
            worst = min(worst, (min(of_classes), picture.file_name))
    return DrawingReport(len(ious), regions, points, sum(ious) / len(ious), *worst)


def _drawing(dataset: Dataset, canvas_id: int, pen: Pen, sample: Sample) -> tuple[Picture, Outlines, list[float]]:
    _, class_map = dataset.read(sample)
    outlines = draw(class_map, canvas_id, pen)
    kept = list(class_iou(class_map, paint(outlines)).values())
    return Picture.of(sample.image_path, class_map), outlines, kept


def picture_entry(
    picture: Picture, outlines: Outlines, labels: Labels, file_attributes: Mapping[str, str] | None = None
) -> tuple[str, dict[str, Any]]:
    """Return one picture's key and value in `_via_img_metadata`."""
    entry = {
        "filename": picture.file_name,
        "size": picture.size_bytes,
        "regions": _regions(outlines, labels),
        "file_attributes": dict(file_attributes or {}),
    }
    return f"{picture.file_name}{picture.size_bytes}", entry


def _regions(outlines: Outlines, labels: Labels) -> list[dict[str, Any]]:
    return [
        {
            "shape_attributes": {
                "name": "polygon",
                "all_points_x": region.points[:, 0].tolist(),
                "all_points_y": region.points[:, 1].tolist(),
            },
            "region_attributes": {LABEL_ATTRIBUTE: labels.names[region.class_id]},
        }
        for region in outlines.regions
    ]


def project_head(name: str, labels: Labels, images: str, file_attributes: Sequence[str] = ()) -> dict[str, Any]:
    """Return what VIA 2 saves beside the pictures: its own defaults, with colours and labels by class.

    Args:
        name: the project's.
        labels: names of the ids.
        images: where the pictures lie, seen from the project; ends in a slash.
        file_attributes: names of texts that pictures carry.
    """
    options = dict.fromkeys([*labels.drawn, labels.canvas, labels.names[labels.ignore_id]], "")
    attribute = {"type": "dropdown", "description": "Class", "options": options, "default_options": {}}
    text = {"type": "text", "description": "", "default_value": ""}
    return {
        "_via_settings": {
            "ui": {
                "annotation_editor_height": 25,
                "annotation_editor_fontsize": 0.8,
                "leftsidebar_width": 18,
                "image_grid": {
                    "img_height": 80,
                    "rshape_fill": "none",
                    "rshape_fill_opacity": 0.3,
                    "rshape_stroke": "yellow",
                    "rshape_stroke_width": 2,
                    "show_region_shape": True,
                    "show_image_policy": "all",
                },
                "image": {
                    "region_label": LABEL_ATTRIBUTE,
                    "region_color": LABEL_ATTRIBUTE,
                    "region_label_font": "10px Sans",
                    "on_image_annotation_editor_placement": "NEAR_REGION",
                },
            },
            "core": {"buffer_size": 18, "filepath": {}, "default_filepath": images},
            "project": {"name": name},
        },
        "_via_attributes": {"region": {LABEL_ATTRIBUTE: attribute}, "file": dict.fromkeys(file_attributes, text)},
        "_via_data_format_version": "2.0.10",
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
