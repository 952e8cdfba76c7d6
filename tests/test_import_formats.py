"""COCO, LabelMe, CVAT, YOLO, VIA 3 and CSV: what each format's shapes become, and what is common to all."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from typer.testing import CliRunner

from edge_seg.cli.app import build_app
from edge_seg.dataset import Dataset
from edge_seg.errors import AnnotationError
from edge_seg.images import read_mask
from edge_seg.importers import (
    FORMATS,
    Description,
    DrawingStyle,
    ImportOptions,
    ImportReport,
    LabelRules,
    import_annotations,
    picture_folder,
    recognise,
)

HEIGHT, WIDTH = 12, 16


class Folder:
    """A folder with two pictures, and the data set that annotations of them become."""

    def __init__(self, folder: Path) -> None:
        self.path, self.out = folder / "in", folder / "out"
        self.path.mkdir()
        for name in ("a.png", "b.png"):
            Image.new("RGB", (WIDTH, HEIGHT)).save(self.path / name)

    def write(self, name: str, content: Any) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def load(self, kind: str, *files: Path, **options: Any) -> ImportReport:
        rules, style = options.pop("rules", LabelRules()), options.pop("style", DrawingStyle())
        return import_annotations(
            FORMATS[kind],
            files,
            picture_folder(None, files[0]),
            self.out,
            ImportOptions(rules, style, **options),
            Description("x"),
        )

    def mask(self, name: str = "a") -> np.ndarray:
        return read_mask(self.out / "masks" / f"{name}.png")

    @property
    def class_names(self) -> tuple[str, ...]:
        return Dataset.open(self.out).manifest.class_names


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def box_mask(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """Ones from left and top up to, not including, right and bottom."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


# COCO -----------------------------------------------------------------------------------------------


def coco(*annotations: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {
        "images": [
            {"id": 7, "file_name": "a.png", "width": WIDTH, "height": HEIGHT},
            {"id": "b", "file_name": "b.png"},
        ],
        "categories": [{"id": 9, "name": "stone", "supercategory": "rock"}, {"id": 2, "name": "leaf"}],
        "annotations": [{"id": number, "image_id": 7, **item} for number, item in enumerate(annotations, 40)],
        **other,
    }


BLOB = np.asfortranarray(np.random.default_rng(0).random((HEIGHT, WIDTH)) > 0.6).astype(np.uint8)
RING = box_mask(2, 2, 9, 9) - box_mask(4, 4, 6, 6)


def uncompressed(mask: np.ndarray) -> list[int]:
    column = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(np.concatenate([[0], column, [2]])))
    return np.diff(np.concatenate([[0], edges])).tolist()


def compressed(mask: np.ndarray) -> str:
    return coco_mask.encode(np.asfortranarray(mask))["counts"].decode()


@pytest.mark.parametrize(
    ("segmentation", "expected"),
    [
        ([[2, 3, 8, 3, 8, 7, 2, 7]], box_mask(2, 3, 8, 7)),
        ([[2, 3, 4, 3, 4, 5, 2, 5], [8, 8, 10, 8, 10, 10, 8, 10]], box_mask(2, 3, 4, 5) | box_mask(8, 8, 10, 10)),
        ([[2, 3, 8, 3, 8, 7, 2, 7], [4, 4, 6, 4, 6, 6, 4, 6]], box_mask(2, 3, 8, 7)),
        ({"counts": uncompressed(BLOB), "size": [HEIGHT, WIDTH]}, BLOB),
        ({"counts": compressed(BLOB), "size": [HEIGHT, WIDTH]}, BLOB),
        ({"counts": compressed(RING), "size": [HEIGHT, WIDTH]}, RING),
    ],
    ids=["pixel edges", "two parts", "parts overlap", "run lengths", "compressed", "a hole survives"],
)
def test_coco_shapes(folder: Folder, segmentation: Any, expected: np.ndarray) -> None:
    folder.load("coco", folder.write("x.json", coco({"category_id": 2, "segmentation": segmentation})))
    assert np.array_equal(folder.mask(), expected)
    assert not folder.mask("b").any()


def test_coco_polygons_are_those_of_pycocotools(folder: Folder) -> None:
    rng = np.random.default_rng(1)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
    ring = np.stack([8 + 5.3 * np.cos(angles), 6 + 4.7 * np.sin(angles)], axis=1).ravel().tolist()
    folder.load("coco", folder.write("x.json", coco({"category_id": 2, "segmentation": [ring]})))
    expected = coco_mask.decode(coco_mask.frPyObjects([ring], HEIGHT, WIDTH))[:, :, 0]
    assert (folder.mask() != expected).sum() <= 3  # pycocotools rounds to fifths of a pixel


def test_coco_crowds_lie_below_and_later_over_earlier(folder: Folder) -> None:
    crowd = {"counts": uncompressed(np.ones((HEIGHT, WIDTH), np.uint8)), "size": [HEIGHT, WIDTH]}
    document = coco(
        {"category_id": 2, "segmentation": [[0, 0, 6, 0, 6, 6, 0, 6]]},
        {"category_id": 9, "segmentation": [[3, 3, 9, 3, 9, 9, 3, 9]]},
        {"category_id": 9, "segmentation": crowd, "iscrowd": 1},
    )
    folder.load("coco", folder.write("x.json", document))
    assert folder.class_names == ("background", "stone", "leaf")  # the order of the categories, not of their ids
    assert (folder.mask()[1, 1], folder.mask()[4, 4], folder.mask()[11, 11]) == (2, 1, 1)


def test_coco_box_is_filled_on_request(folder: Folder) -> None:
    file = folder.write("x.json", coco({"category_id": 2, "segmentation": [], "bbox": [2, 3, 6, 4]}))
    with pytest.raises(AnnotationError, match=r"x\.json: a\.png, region 1: .*--fill-boxes"):
        folder.load("coco", file)
    folder.load("coco", file, style=DrawingStyle(fill_boxes=True))
    assert np.array_equal(folder.mask(), box_mask(2, 3, 8, 7))


def test_the_supercategory_may_name_the_class(folder: Folder) -> None:
    file = folder.write("x.json", coco({"category_id": 9, "segmentation": [[0, 0, 6, 0, 6, 6]]}))
    folder.load("coco", file, rules=LabelRules(attribute="supercategory"))
    assert folder.class_names == ("background", "rock")


SQUARE = [[0, 0, 6, 0, 6, 6]]


@pytest.mark.parametrize(
    ("annotation", "sentence"),
    [
        ({"category_id": 2, "segmentation": [[0, 0, 6, 0]]}, "at least 3 points, this one has 2"),
        ({"category_id": 2, "segmentation": [[0, 0, 6, 0, 6]]}, "not x and y in turn"),
        ({"category_id": 2, "segmentation": [3]}, "not a list of numbers"),
        ({"category_id": 2, "segmentation": [[90, 90, 96, 90, 96, 96]]}, "lies outside the picture, which is 16×12"),
        ({"category_id": 5, "segmentation": SQUARE}, "category_id '5' is no category"),
        ({"category_id": 2, "segmentation": SQUARE, "image_id": 8}, "image_id '8' is no image"),
        ({"category_id": 2, "segmentation": {"counts": [3, 4], "size": [HEIGHT, WIDTH]}}, "add up to 7"),
        ({"category_id": 2, "segmentation": {"counts": [200, -8], "size": [HEIGHT, WIDTH]}}, "add up to 192"),
        ({"category_id": 2, "segmentation": {"counts": "01", "size": [HEIGHT, WIDTH]}}, "add up to 1,"),
        ({"category_id": 2, "segmentation": {"counts": "o\x7f", "size": [HEIGHT, WIDTH]}}, "not pycocotools' text"),
        ({"category_id": 2, "segmentation": {"counts": [20], "size": [4, 5]}}, "mask is 5×4 but the picture is 16×12"),
        ({"category_id": 2, "segmentation": {"counts": [20], "size": "4"}}, r"not \[height, width\]"),
        ({"category_id": 2, "segmentation": {"size": [HEIGHT, WIDTH]}}, "has no counts"),
    ],
)
def test_coco_refusals_name_file_and_region(folder: Folder, annotation: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AnnotationError, match=rf"x\.json: .*{sentence}"):
        folder.load("coco", folder.write("x.json", coco(annotation)))
    assert not folder.out.exists()


# LabelMe --------------------------------------------------------------------------------------------


def labelme(*shapes: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {
        "version": "5.0.1",
        "imagePath": "a.png",
        "imageWidth": WIDTH,
        "imageHeight": HEIGHT,
        "shapes": [{"label": "leaf", **item} for item in shapes],
        **other,
    }


def png_text(mask: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(mask * 255).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"shape_type": "polygon", "points": [[2, 3], [7.9, 3], [7.9, 6.9], [2, 6.9]]}, box_mask(2, 3, 8, 7)),
        ({"points": [[2, 3], [7, 3], [7, 6], [2, 6]]}, box_mask(2, 3, 8, 7)),
        ({"shape_type": "rectangle", "points": [[7, 6], [2, 3]]}, box_mask(2, 3, 8, 7)),
        (
            {"shape_type": "mask", "points": [[2, 3], [7, 6]], "mask": png_text(np.ones((4, 6), np.uint8))},
            box_mask(2, 3, 8, 7),
        ),
        ({"shape_type": "line", "points": [[2, 3], [7, 3]]}, box_mask(2, 3, 8, 4)),
    ],
    ids=["polygon", "no type", "rectangle", "mask", "line"],
)
def test_labelme_shapes(folder: Folder, shape: dict[str, Any], expected: np.ndarray) -> None:
    folder.load("labelme", folder.write("a.json", labelme(shape)), style=DrawingStyle(line_width=1))
    assert np.array_equal(folder.mask(), expected)


def test_labelme_words_for_background_and_ignore(folder: Folder) -> None:
    outer = {"points": [[0, 0], [15, 0], [15, 11], [0, 11]]}
    hole = {"points": [[2, 2], [5, 2], [5, 5], [2, 5]], "label": "_background_"}
    void = {"points": [[8, 2], [12, 2], [12, 5], [8, 5]], "label": "__ignore__"}
    folder.load("labelme", folder.write("a.json", labelme(outer, hole, void)))
    assert (folder.mask()[0, 0], folder.mask()[3, 3], folder.mask()[3, 9]) == (1, 0, 255)
    assert folder.class_names == ("background", "leaf")


def test_labelme_files_of_a_folder_and_other_machines_paths(folder: Folder) -> None:
    shape = {"points": [[2, 2], [5, 2], [5, 5]]}
    for name, path in (("a", "..\\photos\\a.png"), ("b", "C:/Users/me/b.png")):
        folder.write(f"{name}.json", labelme(shape, imagePath=path))
    found = recognise(folder.path)
    assert found is not None
    assert found.annotation_format.name == "labelme"
    assert folder.load("labelme", *found.files).imported == 2


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (labelme({"shape_type": "circle", "points": [[1, 1]]}), "at least 2 points"),
        (labelme({"shape_type": "blob", "points": []}), "the shape 'blob' is not known"),
        (labelme({"shape_type": "point", "points": [[1, 1]]}), "a point covers no pixels"),
        (labelme({"shape_type": "mask", "points": [[2, 3]], "mask": "no png"}), "no PNG in base64"),
        (
            labelme({"shape_type": "mask", "points": [[14, 3]], "mask": png_text(np.ones((4, 6), np.uint8))}),
            "not inside",
        ),
        (labelme({"points": [[1, 1], [2], [3, 3]]}), "not two coordinates"),
        (labelme({"points": [[1, 1]] * 3, "label": ""}), "has no 'label'"),
        (labelme({"points": [[1, 1]] * 3}, imageWidth=99, imageHeight=77), "is 16×12 but was annotated at 99×77"),
        (labelme(imagePath=3), "imagePath is '3'"),
    ],
)
def test_labelme_refusals(folder: Folder, document: dict[str, Any], sentence: str) -> None:
    rules = LabelRules(classes=("leaf",))
    with pytest.raises(AnnotationError, match=sentence):
        folder.load("labelme", folder.write("a.json", document), rules=rules)


# CVAT -----------------------------------------------------------------------------------------------


def cvat(*shapes: str, attributes: str = "") -> str:
    return (
        "<annotations><meta><task><labels><label><name>stone</name></label><label><name>leaf</name></label></labels>"
        f'</task></meta><image id="0" name="a.png" width="{WIDTH}" height="{HEIGHT}"{attributes}>'
        f"{''.join(shapes)}</image></annotations>"
    )


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ('<polygon label="leaf" points="2,3;8,3;8,7;2,7"/>', box_mask(2, 3, 8, 7)),
        ('<box label="leaf" xtl="2" ytl="3" xbr="8" ybr="7"/>', box_mask(2, 3, 8, 7)),
        ('<box label="leaf" xtl="3" ytl="2" xbr="7" ybr="8" rotation="90"/>', box_mask(2, 3, 8, 7)),
        ('<mask label="leaf" rle="0, 2, 2, 4" left="2" top="3" width="4" height="2"/>', None),
        ('<polyline label="leaf" points="2,3;7,3"/>', box_mask(2, 3, 8, 4)),
    ],
    ids=["polygon", "box", "turned box", "mask", "polyline"],
)
def test_cvat_shapes(folder: Folder, shape: str, expected: np.ndarray | None) -> None:
    folder.load("cvat", folder.write("x.xml", cvat(shape)), style=DrawingStyle(line_width=1))
    if expected is None:
        expected = box_mask(2, 3, 4, 4) | box_mask(2, 4, 6, 5)
    assert np.array_equal(folder.mask(), expected)


def test_cvat_ellipse_has_its_area(folder: Folder) -> None:
    folder.load("cvat", folder.write("x.xml", cvat('<ellipse label="leaf" cx="8" cy="6" rx="5" ry="3"/>')))
    assert abs(int(folder.mask().sum()) - np.pi * 15) < 4


def test_cvat_draws_by_z_order_and_labels_by_attribute(folder: Folder) -> None:
    upper = (
        '<box label="leaf" xtl="0" ytl="0" xbr="8" ybr="8" z_order="2"><attribute name="state">wet</attribute></box>'
    )
    lower = (
        '<box label="stone" xtl="4" ytl="4" xbr="12" ybr="12" z_order="1"><attribute name="state">dry</attribute></box>'
    )
    file = folder.write("x.xml", cvat(upper, lower))
    folder.load("cvat", file)
    assert folder.class_names == ("background", "stone", "leaf")
    assert (folder.mask()[5, 5], folder.mask()[10, 10]) == (2, 1)
    folder.out = folder.out.with_name("other")
    folder.load("cvat", file, rules=LabelRules(attribute="state"))
    assert folder.class_names == ("background", "dry", "wet")


def test_cvat_subsets_of_one_name_become_two_pictures(folder: Folder) -> None:
    for subset in ("Train", "Test"):
        (folder.path / "images" / subset).mkdir(parents=True)
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder.path / "images" / subset / "p.png")
    box = '<box label="l" xtl="0" ytl="0" xbr="8" ybr="8"/>'
    image = f'<image id="0" name="p.png" subset="{{}}" width="16" height="12">{box}</image>'
    file = folder.write("x.xml", f"<annotations>{image.format('Train')}{image.format('Test')}</annotations>")
    assert folder.load("cvat", file).imported == 2
    assert sorted(path.name for path in (folder.out / "images").iterdir()) == [
        "images_Test_p.png",
        "images_Train_p.png",
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (cvat('<polygon label="leaf" points="1,2;x,4;5,6"/>'), "not x,y;x,y"),
        (cvat('<polygon label="leaf" points="1,2;3,4"/>'), "at least 3 points"),
        (cvat('<cuboid label="leaf"/>'), "a cuboid cannot be drawn"),
        (cvat('<box label="leaf" xtl="nan" ytl="0" xbr="1" ybr="1"/>'), "not a pixel coordinate"),
        (cvat('<mask label="leaf" rle="3" left="0" top="0" width="4" height="2"/>'), "add up to 3"),
        (cvat('<box xtl="1" ytl="0" xbr="3" ybr="1"/>'), "has no 'label'"),
        ("<annotations><track/></annotations>", "CVAT for video"),
        ("<annotation/>", "is not CVAT XML"),
        ("<annotations>", "is not XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><annotations>&a;</annotations>', "document type or entities"),
    ],
)
def test_cvat_refusals(folder: Folder, content: str, sentence: str) -> None:
    with pytest.raises(AnnotationError, match=rf"x\.xml: .*{sentence}"):
        folder.load("cvat", folder.write("x.xml", content), rules=LabelRules(classes=("leaf",)))


# YOLO -----------------------------------------------------------------------------------------------


def shares(*points: tuple[float, float]) -> str:
    return " ".join(f"{x / WIDTH} {y / HEIGHT}" for x, y in points)


def test_yolo_polygons_boxes_and_names(folder: Folder) -> None:
    folder.write("data.yaml", "names: {0: stone, 1: leaf}")
    file = folder.write(
        "labels/a.txt", f"1 {shares((2, 3), (7, 3), (7, 6), (2, 6))}\n0 {8.5 / 16} {1 / 12} {3 / 16} {2 / 12}\n"
    )
    with pytest.raises(AnnotationError, match="region 2: has a box but no outline"):
        folder.load("yolo", file)
    folder.load("yolo", file, style=DrawingStyle(fill_boxes=True))
    assert folder.class_names == ("background", "stone", "leaf")
    assert np.array_equal(folder.mask() == 2, box_mask(2, 3, 8, 7) > 0)
    assert folder.mask()[2, 8] == 1


@pytest.mark.parametrize("names", ["stone\nleaf\n", None])
def test_yolo_names_may_be_text_or_absent(folder: Folder, names: str | None) -> None:
    if names is not None:
        folder.write("classes.txt", names)
    folder.load("yolo", folder.write("a.txt", f"1 {shares((2, 3), (7, 3), (7, 6))}"))
    assert folder.class_names == ("background", "leaf" if names else "class_1")


def test_an_empty_yolo_file_is_a_picture_without_objects(folder: Folder) -> None:
    file, empty = folder.write("a.txt", f"0 {shares((2, 3), (7, 3), (7, 6))}"), folder.write("b.txt", "\n")
    report = folder.load("yolo", file, empty)
    assert (report.imported, report.empty) == (2, 1)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("0 0.1 0.1 0.2", "at least 3 points|not x and y"),
        ("0 0.1 0.1 0.2 0.2 x 0.3", "not a class and shares"),
        ("0 0.1 0.1 0.2 nan 0.4 0.3", "no finite number"),
        ("0 10 10 20 10 20 20", "no share of a picture's side"),
        ("7 0.1 0.1 0.2 0.2 0.2 0.3", "has the class 7, but the names are 1"),
    ],
)
def test_yolo_refusals(folder: Folder, content: str, sentence: str) -> None:
    folder.write("classes.txt", "leaf")
    with pytest.raises(AnnotationError, match=rf"a\.txt: .*region 1: .*({sentence})"):
        folder.load("yolo", folder.write("a.txt", content), rules=LabelRules(classes=("leaf",)))


# VIA 3 and CSV --------------------------------------------------------------------------------------

# Hand-written by the shape codes of VIA 3: its demo has rectangles alone.
VIA3_SHAPES = [
    ([1, 5, 5], None),
    ([2, 2, 3, 5, 3], box_mask(2, 3, 8, 7)),
    ([3, 8, 6, 3], "circle"),
    ([4, 8, 6, 5, 3], "ellipse"),
    ([5, 2, 3, 7, 3], box_mask(2, 3, 8, 4)),
    ([6, 2, 3, 7, 3, 7, 6], box_mask(2, 3, 8, 4) | box_mask(7, 3, 8, 7)),
    ([7, 2, 3, 7, 3, 7, 6, 2, 6], box_mask(2, 3, 8, 7)),
]


def via3(*regions: tuple[list[float], dict[str, str]]) -> dict[str, Any]:
    return {
        "project": {"pid": "x", "data_format_version": "3.1.1", "vid_list": ["1", "2"]},
        "config": {},
        "attribute": {
            "1": {"aname": "kind", "type": 3, "options": {"0": "stone", "1": "leaf"}},
            "2": {"aname": "note", "type": 1, "options": {}},
        },
        "file": {"1": {"fid": 1, "fname": "a.png"}, "2": {"fid": 2, "fname": "b.png"}},
        "view": {"1": {"fid_list": [1]}, "2": {"fid_list": [2]}},
        "metadata": {
            f"1_{number}": {"vid": "1", "flg": 0, "z": [], "xy": xy, "av": av}
            for number, (xy, av) in enumerate(regions)
        },
    }


@pytest.mark.parametrize(("xy", "expected"), VIA3_SHAPES)
def test_via3_shape_codes(folder: Folder, xy: list[float], expected: Any) -> None:
    file = folder.write("x.json", via3((xy, {"1": "1"})))
    style = DrawingStyle(line_width=1, point_radius=0)
    folder.load("via", file, style=style, rules=LabelRules(attribute="kind", classes=("leaf",)))
    if isinstance(expected, str) and expected == "circle":
        assert 24 <= folder.mask().sum() <= 37
    elif isinstance(expected, str):
        assert 40 <= folder.mask().sum() <= 64
    else:
        assert np.array_equal(folder.mask(), box_mask(0, 0, 0, 0) if expected is None else expected)


def test_via3_options_are_names_in_their_order(folder: Folder) -> None:
    file = folder.write("x.json", via3(([2, 0, 0, 3, 3], {"1": "1"}), ([2, 8, 0, 3, 3], {"1": "0"})))
    report = folder.load("via", file)
    assert folder.class_names == ("background", "stone", "leaf")
    assert (report.imported, report.empty) == (2, 1)


@pytest.mark.parametrize(
    ("xy", "sentence"),
    [
        ([], None),
        ([9, 1, 1], "no shape code"),
        ([2, 1, 1, 5], "has 4 numbers, this one 3"),
        ([7, 1, 1, 2], "x and y in turn"),
    ],
)
def test_via3_refusals(folder: Folder, xy: list[float], sentence: str | None) -> None:
    file = folder.write("x.json", via3((xy, {"1": "1"})))
    rules = LabelRules(attribute="kind", default_class="leaf", classes=("leaf",))
    if sentence is None:
        assert folder.load("via", file, rules=rules).empty == 2  # a caption of the picture, no region
        return
    with pytest.raises(AnnotationError, match=rf"x\.json: a\.png, region 1: .*{sentence}"):
        folder.load("via", file, rules=rules)


VIA3_CSV = """# Exported using VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)
# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata
"1_x","[""a.png""]",0,"[]","[2,2,3,5,3]","{""1"":""leaf""}"
"""
VIA2_CSV = """filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes
a.png,-1,"{}",1,0,"{""name"":""rect"",""x"":2,""y"":3,""width"":5,""height"":3}","{""kind"":""leaf""}"
b.png,-1,"{}",0,0,"{}","{}"
"""


@pytest.mark.parametrize(("content", "pictures"), [(VIA3_CSV, 1), (VIA2_CSV, 2), ("#" + VIA2_CSV, 2)])
def test_via_csv_of_all_versions(folder: Folder, content: str, pictures: int) -> None:
    report = folder.load("via", folder.write("x.csv", content))
    assert report.imported == pictures
    assert np.array_equal(folder.mask(), box_mask(2, 3, 8, 7))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a,b\n1,2\n", "is not VIA JSON or CSV"),
        (VIA2_CSV + "a.png,1\n", "a row has 2 cells but the header 7"),
        (VIA2_CSV.replace('""name""', '""name'), "is not JSON"),
        (VIA2_CSV + '"a.png', "is not CSV"),
    ],
)
def test_via_csv_refusals(folder: Folder, content: str, sentence: str) -> None:
    with pytest.raises(AnnotationError, match=rf"x\.csv: .*{sentence}"):
        folder.load("via", folder.write("x.csv", content))


# Common to all --------------------------------------------------------------------------------------


def test_several_files_make_one_data_set_and_later_ones_lie_on_top(folder: Folder) -> None:
    first = folder.write("1.json", coco({"category_id": 2, "segmentation": [[0, 0, 9, 0, 9, 9, 0, 9]]}))
    second = folder.write("2.json", coco({"category_id": 9, "segmentation": [[4, 4, 9, 4, 9, 9, 4, 9]]}))
    folder.load("coco", first, second)
    assert (folder.mask()[1, 1], folder.mask()[5, 5]) == (2, 1)


@pytest.mark.parametrize(
    ("label_map", "names", "values"),
    [
        ({"leaf": "plant", "stone": "plant"}, ("background", "plant"), (1, 1)),
        ({"stone": ""}, ("background", "leaf"), (1, 0)),
        ({"stone": "ignore"}, ("background", "leaf"), (1, 255)),
        ({"*": "", "leaf": "leaf"}, ("background", "leaf"), (1, 0)),
        ({"*": "thing"}, ("background", "thing"), (1, 1)),
        ({"stone": "background"}, ("background", "leaf"), (1, 0)),
    ],
)
def test_labels_are_mapped_merged_and_dropped(
    folder: Folder, label_map: dict[str, str], names: tuple[str, ...], values: tuple[int, int]
) -> None:
    document = coco(
        {"category_id": 2, "segmentation": [[0, 0, 3, 0, 3, 3, 0, 3]]},
        {"category_id": 9, "segmentation": [[8, 8, 12, 8, 12, 12, 8, 12]]},
    )
    folder.load("coco", folder.write("x.json", document), rules=LabelRules(label_map=label_map))
    assert folder.class_names == names
    assert (folder.mask()[1, 1], folder.mask()[9, 9]) == values


def test_skip_bad_leaves_pictures_out(folder: Folder) -> None:
    document = coco(
        {"category_id": 2, "segmentation": [[0, 0, 3, 0]]}, {"category_id": 2, "segmentation": SQUARE, "image_id": "b"}
    )
    report = folder.load("coco", folder.write("x.json", document), skip_bad=True)
    assert (report.imported, len(report.skipped)) == (1, 1)
    assert "a.png, region 1" in report.skipped[0]


def test_annotations_before_exif_turned_the_picture_are_turned_with_it(folder: Folder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown a quarter turn clockwise
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder.path / "a.png", exif=exif)
    folder.load("coco", folder.write("x.json", coco({"category_id": 2, "segmentation": [[0, 0, 4, 0, 4, 2, 0, 2]]})))
    expected = np.zeros((WIDTH, HEIGHT), np.uint8)
    expected[:4, HEIGHT - 2 :] = 1
    assert np.array_equal(folder.mask(), expected)


def test_a_renamed_picture_is_found_by_its_size(folder: Folder) -> None:
    size = (folder.path / "a.png").stat().st_size
    Image.effect_noise((WIDTH, HEIGHT), 50).save(folder.path / "b.png")
    rectangle = {"name": "rect", "x": 2, "y": 3, "width": 5, "height": 3}
    regions = [{"shape_attributes": rectangle, "region_attributes": {"kind": "leaf"}}]
    document = {"old.png": {"filename": "old.png", "size": size, "regions": regions}}
    report = folder.load("via", folder.write("x.json", document))
    assert np.array_equal(folder.mask(), box_mask(2, 3, 8, 7))
    assert report.notes == (f"'old.png' was found by its {size} bytes under the name a.png",)


@pytest.mark.parametrize(
    "name", ["a.PNG", "photos/a.png", "../a.png", "/srv/a.png", "C:\\x\\a.png", "https://host/x%20y/a.png?k=1"]
)
def test_names_of_all_kinds_find_the_picture(folder: Folder, name: str) -> None:
    document = coco({"category_id": 2, "segmentation": SQUARE}, images=[{"id": 7, "file_name": name}])
    assert folder.load("coco", folder.write("x.json", document)).imported == 1


@pytest.mark.parametrize(("last", "notes"), [((2, 3), 1), ((9, 9), 0)])
def test_polylines_that_close_on_themselves_are_told(folder: Folder, last: tuple[int, int], notes: int) -> None:
    points = [(2, 2), (12, 2), (12, 9), (2, 9), last]
    line = {"name": "polyline", "all_points_x": [x for x, _ in points], "all_points_y": [y for _, y in points]}
    regions = [{"shape_attributes": line, "region_attributes": {"kind": "leaf"}}]
    report = folder.load("via", folder.write("x.json", {"a.png": {"filename": "a.png", "regions": regions}}))
    assert len(report.notes) == notes
    assert all("1 polylines end where they began" in note for note in report.notes)


def test_two_pictures_that_could_be_meant_are_refused(folder: Folder) -> None:
    for place in ("one", "two"):
        (folder.path / place).mkdir()
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder.path / place / "c.png")
    document = coco({"category_id": 2, "segmentation": SQUARE}, images=[{"id": 7, "file_name": "c.png"}])
    with pytest.raises(AnnotationError, match=r"both one/c\.png and two/c\.png"):
        folder.load("coco", folder.write("x.json", document))


# The command ----------------------------------------------------------------------------------------


@pytest.fixture
def run() -> Callable[..., Any]:
    def call(*words: object) -> Any:
        return CliRunner().invoke(build_app("data"), ["data", "import", *map(str, words)])

    return call


AUTO = [
    ("x.json", coco({"category_id": 2, "segmentation": SQUARE}), "COCO"),
    ("x.json", labelme({"points": [[1, 1], [5, 1], [5, 5]]}), "LabelMe"),
    ("x.xml", cvat('<box label="leaf" xtl="2" ytl="3" xbr="8" ybr="7"/>'), "CVAT"),
    ("a.txt", f"1 {shares((2, 3), (7, 3), (7, 6))}", "YOLO"),
    ("x.csv", VIA2_CSV, "VGG Image Annotator"),
    ("x.json", via3(([2, 0, 0, 3, 3], {"1": "1"})), "VGG Image Annotator"),
]


@pytest.mark.parametrize(("name", "content", "title"), AUTO)
def test_auto_tells_formats_by_content(folder: Folder, run, name: str, content: Any, title: str) -> None:
    folder.write(name, content)
    result = run("auto", folder.path, "--out", folder.out)
    assert result.exit_code == 0, result.output
    assert f"recognised {title}" in result.stderr
    assert folder.mask().any()


def test_auto_refuses_two_formats_and_none(folder: Folder, run) -> None:
    empty = run("auto", folder.path, "--out", folder.out)
    folder.write("x.csv", VIA2_CSV)
    folder.write("x.xml", cvat())
    both = run("auto", folder.path, "--out", folder.out)
    assert (empty.exit_code, both.exit_code) == (1, 1)
    assert "is not VGG Image Annotator 1, 2 or 3, COCO" in empty.stderr
    assert "name the file or folder that is meant" in both.stderr


def test_auto_takes_folders_of_masks_when_it_is_told_their_values(folder: Folder, run) -> None:
    for part in ("images", "masks"):
        (folder.path / part).mkdir()
        Image.new("L", (WIDTH, HEIGHT), 4).save(folder.path / part / "p.png")
    asked = run("auto", folder.path, "--out", folder.out)
    assert asked.exit_code == 1
    assert "masks with the values 4; say what they mean with  --map '4=NAME'" in asked.stderr
    assert run("auto", folder.path, "--out", folder.out, "--map", "4=leaf").exit_code == 0


def test_map_on_the_command_line(folder: Folder, run) -> None:
    file = folder.write("x.json", coco({"category_id": 2, "segmentation": SQUARE}))
    assert run("coco", file, "--out", folder.out, "--map", "leaf=plant,stone=").exit_code == 0
    assert folder.class_names == ("background", "plant")
    wrong = run("coco", file, "--out", folder.out.with_name("no"), "--map", "leaf")
    assert wrong.exit_code == 2
    assert "is not LABEL=NAME" in wrong.output


def test_what_was_done_as_json(folder: Folder, run) -> None:
    images = [{"id": 7, "file_name": "a.png"}, {"id": 8, "file_name": "gone.png"}]
    file = folder.write("x.json", coco({"category_id": 2, "segmentation": SQUARE}, images=images))
    answer = json.loads(run("coco", file, "--out", folder.out, "--skip-missing", "--json").stdout)
    assert (answer["imported"], answer["empty"], answer["notes"]) == (1, 0, [])
    assert answer["skipped"] == [f"gone.png: not in {folder.path}"]


# Real files -----------------------------------------------------------------------------------------

REAL = [
    ("via1_unit_tests/unit_test_annotation1.csv", ["--point-radius", "0", "--default-class", "thing"], 3),
    ("via1_unit_tests/unit_test_annotation2.json", ["--point-radius", "4", "--default-class", "thing"], 3),
    ("via2_basic_demo/via_export_json.json", ["--label-attribute", "name"], 2),
    ("via2_basic_demo/via_export_csv.csv", ["--default-class", "thing"], 2),
    ("via2_wood_debris_polyline_missing_images", [], "32 of 69 pictures"),
    ("via2_wood_debris_polyline_missing_images", ["--skip-missing"], 37),
    ("via3_demo", ["--label-attribute", "Name"], "1 of 2 pictures"),
    ("via3_demo", ["--label-attribute", "Name", "--skip-missing"], 1),
    ("labelme_semantic", [], 3),
    ("coco_photos", [], 6),
    ("coco_instances", [], "--fill-boxes"),
    ("coco_instances", ["--fill-boxes"], 2),
    ("cvat_images/export_project", [], "--point-radius 0"),
    ("cvat_images/export_project", ["--point-radius", "1"], 6),
    ("cvat_images/export_task", ["--point-radius", "0", "--default-class", "thing"], 2),
]


@pytest.mark.shared
@pytest.mark.parametrize(("path", "options", "expected"), REAL)
def test_real_annotations(shared_dir: Path, folder: Folder, run, *, path, options, expected) -> None:
    result = run("auto", shared_dir / "data" / "annotation_formats" / path, "--out", folder.out, *options)
    if isinstance(expected, str):
        assert result.exit_code == 1
        assert expected in result.stderr
        assert not folder.out.exists()
    else:
        assert result.exit_code == 0, result.output
        assert len(list((folder.out / "masks").iterdir())) == expected


@pytest.mark.shared
def test_real_coco_agrees_with_pycocotools(shared_dir: Path, folder: Folder, run) -> None:
    source = shared_dir / "data" / "annotation_formats" / "coco_photos"
    assert run("auto", source, "--out", folder.out, "--map", "*=thing").exit_code == 0
    document = json.loads((source / "annotations.json").read_text())
    for image in document["images"]:
        expected = np.zeros((image["height"], image["width"]), bool)
        for item in document["annotations"]:
            if item["image_id"] == image["id"]:
                found = coco_mask.frPyObjects(item["segmentation"], *expected.shape)
                expected |= coco_mask.decode(found).reshape(*expected.shape, -1).any(axis=2)
        drawn = folder.mask(Path(image["file_name"]).stem) > 0
        union = (drawn | expected).sum()
        assert union == 0 or (drawn & expected).sum() / union > 0.98  # pycocotools rounds to fifths of a pixel


@pytest.mark.shared
def test_real_yolo_gives_the_masks_that_were_rendered_from_it(shared_dir: Path, folder: Folder, run) -> None:
    trash = shared_dir / "data" / "trash"
    result = run(
        "yolo", trash / "labels_yolo", "--images", trash / "images", "--out", folder.out, "--map", "class_0=a,class_1=b"
    )
    assert result.exit_code == 0, result.output
    overlap, union = np.zeros(3), np.zeros(3)
    for path in sorted((trash / "masks").iterdir()):
        given, drawn = read_mask(path), folder.mask(path.stem)
        for class_id in range(3):
            overlap[class_id] += ((given == class_id) & (drawn == class_id)).sum()
            union[class_id] += ((given == class_id) | (drawn == class_id)).sum()
    assert (overlap / union).mean() > 0.99
