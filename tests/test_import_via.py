"""VGG Image Annotator JSON: parsing, geometry, and the data set it becomes."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from edge_seg.dataset import Dataset
from edge_seg.errors import AnnotationError, DatasetError
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
)
from edge_seg.importers.shapes import lies_outside, paint
from edge_seg.importers.via_shapes import via_shape

ABOUT = Description("via")
HEIGHT, WIDTH = 24, 32


def polygon(*points: tuple[float, float], shape: str = "polygon") -> dict[str, Any]:
    return {"name": shape, "all_points_x": [x for x, _ in points], "all_points_y": [y for _, y in points]}


def rect(x: float, y: float, width: float, height: float) -> dict[str, Any]:
    return {"name": "rect", "x": x, "y": y, "width": width, "height": height}


def region(shape: dict[str, Any], label: Any = "leaf", attribute: str = "kind") -> dict[str, Any]:
    return {"shape_attributes": shape, "region_attributes": {attribute: label}}


def drawn(shape: dict[str, Any], line_width: int = 1) -> np.ndarray:
    class_map = np.zeros((HEIGHT, WIDTH), np.uint8)
    parsed = via_shape(shape, "here", DrawingStyle(line_width))
    assert parsed is not None
    paint(class_map, parsed, 1, "here")
    return class_map


def import_via(file: Path, images: Path | None, out: Path, **options: Any) -> ImportReport:
    """Import with rules, style and skips told apart by their names."""
    parts = {
        kind: {key: value for key, value in options.items() if key in kind.__dataclass_fields__}
        for kind in (LabelRules, DrawingStyle, ImportOptions)
    }
    chosen = ImportOptions(LabelRules(**parts[LabelRules]), DrawingStyle(**parts[DrawingStyle]), **parts[ImportOptions])
    return import_annotations(FORMATS["via"], [file], picture_folder(images, file), out, chosen, ABOUT)


class Project:
    """A folder with two pictures, and the VIA file that a test writes for them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.out = folder, folder / "via.json", folder / "out"
        for name in ("a.png", "b.png"):
            Image.new("RGB", (WIDTH, HEIGHT)).save(folder / name)

    def load(self, document: Any, **options: Any):
        self.file.write_text(json.dumps(document), encoding="utf-8")
        return import_via(self.file, self.folder, self.out, **options)

    def regions(self, *regions: Any, **options: Any) -> np.ndarray:
        """Import the regions on a.png, and return its mask."""
        self.load(document(list(regions)), **options)
        return read_mask(self.out / "masks" / "a.png")

    @property
    def class_names(self) -> tuple[str, ...]:
        return Dataset.open(self.out).manifest.class_names


def document(regions: Any, name: str = "a.png") -> dict[str, Any]:
    return {f"{name}123": {"filename": name, "size": 123, "regions": regions, "file_attributes": {}}}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


# Geometry -------------------------------------------------------------------------------------------

inside = st.integers(0, 20)


@given(inside, inside, st.integers(1, 10), st.integers(1, 10))
def test_rect_is_its_polygon(x: int, y: int, width: int, height: int) -> None:
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    as_rect = drawn(rect(x, y, width, height))
    assert np.array_equal(as_rect, drawn(polygon(*corners)))
    expected = np.zeros_like(as_rect)
    expected[y : y + height + 1, x : x + width + 1] = 1
    assert np.array_equal(as_rect, expected)


@given(
    st.lists(st.tuples(st.integers(-40, 60), st.integers(-40, 60)), min_size=3, max_size=12),
    st.integers(0, 11),
)
def test_a_polygon_may_begin_anywhere_and_close_itself(points: list[tuple[int, int]], first: int) -> None:
    turned = points[first % len(points) :] + points[: first % len(points)]
    assert np.array_equal(drawn(polygon(*points)), drawn(polygon(*turned)))
    assert np.array_equal(drawn(polygon(*points)), drawn(polygon(*points, points[0])))


@given(inside, inside, st.integers(1, 9))
def test_circle_covers_its_area_about_its_centre(cx: int, cy: int, radius: int) -> None:
    circle = drawn({"name": "circle", "cx": cx, "cy": cy, "r": radius})
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(columns - cx, rows - cy)
    assert circle[distance <= radius - 1].all()
    assert not circle[distance > radius + 1].any()


@given(st.floats(0, math.pi), st.integers(2, 9), st.integers(2, 9))
def test_a_quarter_turn_swaps_the_radii(theta: float, rx: int, ry: int) -> None:
    first = drawn({"name": "ellipse", "cx": 15, "cy": 12, "rx": rx, "ry": ry, "theta": theta})
    other = drawn({"name": "ellipse", "cx": 15, "cy": 12, "rx": ry, "ry": rx, "theta": theta + math.pi / 2})
    assert (first != other).sum() <= 0.12 * first.sum() + 6


def test_theta_turns_clockwise_on_the_screen() -> None:
    """As VIA's canvas does: a flat ellipse turned by 45° rises from the upper left to the lower right."""
    ellipse = drawn({"name": "ellipse", "cx": 15, "cy": 12, "rx": 9, "ry": 1, "theta": math.pi / 4})
    assert ellipse[12 + 5, 15 + 5] == 1
    assert ellipse[12 - 5, 15 + 5] == 0


@pytest.mark.parametrize(("line_width", "rows"), [(1, 1), (2, 2), (3, 3), (5, 5), (12, 12)])
def test_polyline_is_open_and_as_wide_as_told(line_width: int, rows: int) -> None:
    line = drawn(polygon((4, 10), (28, 10), shape="polyline"), line_width)
    assert line[:, 16].sum() == rows
    corner = drawn(polygon((4, 4), (28, 4), (28, 20), shape="polyline"))
    assert corner[12, 16] == 0
    assert corner[12, 28] == 1


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6, allow_nan=False)] * 2), min_size=3, max_size=6))
@settings(deadline=None)
def test_far_coordinates_are_drawn_or_outside(points: list[tuple[float, float]]) -> None:
    shape = via_shape(polygon(*points), "here", DrawingStyle())
    assert shape is not None
    class_map = np.zeros((HEIGHT, WIDTH), np.uint8)
    try:
        paint(class_map, shape, 1, "here")
    except AnnotationError as error:
        assert "rows of pixels" in str(error)  # noqa: PT017
    if lies_outside(shape, HEIGHT, WIDTH):
        assert not class_map.any()


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        (polygon((1, 1), (2, 2)), "at least 3 points, this one has 2"),
        (polygon(), "at least 3 points, this one has 0"),
        (polygon((1, 1), shape="polyline"), "at least 2 points, this one has 1"),
        (polygon((1, 1), (2, NAN), (3, 3)), "all_points_y holds nan"),
        (polygon((1, 1), (2, INF), (3, 3)), "all_points_y holds inf"),
        (polygon((1, 1), ("2", 2), (3, 3)), "all_points_x holds '2'"),
        (polygon((1, 1), (True, 2), (3, 3)), "all_points_x holds True"),
        (polygon((1, 1), (2, 2e6), (3, 3)), "holds 2000000"),
        ({"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 2]}, "3 x but 2 y"),
        ({"name": "polygon", "all_points_x": "123", "all_points_y": [1]}, "not a list of numbers"),
        ({"name": "polygon"}, "all_points_x is None"),
        ({"name": "point", "cx": 1, "cy": 1}, "a point covers no pixels; leave points out"),
        ({"name": "blob"}, "'blob' is not known; use one of polygon, rect, circle, ellipse, polyline, point"),
        ({}, "None is not known"),
        (rect(1, 1, 0, 4), "width is 0"),
        (rect(1, 1, 3, -4), "height is -4"),
        ({"name": "circle", "cx": 1, "cy": 1}, "r holds None"),
        ({"name": "ellipse", "cx": 1, "cy": 1, "rx": 2, "ry": 2, "theta": "0"}, "theta holds '0'"),
    ],
)
def test_bad_shapes_are_refused_with_their_place(shape: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AnnotationError, match=f"^here: .*{sentence}"):
        via_shape(shape, "here", DrawingStyle())


# Files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"_via_settings": {}, "_via_img_metadata": x}])
@pytest.mark.parametrize("as_dict", [False, True])
def test_versions_and_wrappings_give_the_same_mask(project: Project, wrap, as_dict: bool) -> None:
    regions = [region(rect(2, 3, 4, 5)), region(rect(20, 3, 4, 5), "stone")]
    held = {str(number): item for number, item in enumerate(regions)} if as_dict else regions
    project.load(wrap(document(held)))
    mask = read_mask(project.out / "masks" / "a.png")
    assert (mask[4, 3], mask[4, 22], mask[0, 0]) == (1, 2, 0)
    assert project.class_names == ("background", "leaf", "stone")


def test_later_regions_lie_over_earlier_ones(project: Project) -> None:
    mask = project.regions(
        region(rect(0, 0, 20, 20), "leaf"),
        region(rect(5, 5, 9, 9), "stone"),
        region(rect(7, 7, 2, 2), "background"),
        region(rect(10, 10, 2, 2), "ignore"),
    )
    assert (mask[1, 1], mask[6, 6], mask[8, 8], mask[11, 11]) == (1, 2, 0, 255)


def test_classes_option_orders_the_ids(project: Project) -> None:
    mask = project.regions(region(rect(1, 1, 4, 4), "leaf"), classes=("stone", "leaf"), background="ground")
    assert project.class_names == ("ground", "stone", "leaf")
    assert mask[2, 2] == 2


@pytest.mark.parametrize(("label", "name"), [({"leaf": True, "stone": False}, "leaf"), (" leaf ", "leaf")])
def test_label_values(project: Project, label: Any, name: str) -> None:
    project.regions(region(rect(1, 1, 4, 4), label))
    assert project.class_names == ("background", name)


def test_label_attribute_chooses_among_several(project: Project) -> None:
    several = {"shape_attributes": rect(1, 1, 4, 4), "region_attributes": {"kind": "leaf", "size": "big"}}
    project.regions(several, attribute="size")
    assert project.class_names == ("background", "big")


@pytest.mark.parametrize("labels", [{}, {"kind": ""}, {"kind": {"leaf": False}}, {"kind": None}])
def test_default_class_names_the_unnamed(project: Project, labels: dict[str, Any]) -> None:
    project.regions({"shape_attributes": rect(1, 1, 4, 4), "region_attributes": labels}, default_class="balloon")
    assert project.class_names == ("background", "balloon")


def test_polylines_can_be_filled(project: Project) -> None:
    outline = region(polygon((2, 2), (20, 2), (20, 20), (2, 20), shape="polyline"))
    assert project.regions(outline, fill_polylines=True)[10, 10] == 1


R = region(rect(1, 1, 4, 4))
TWO_ATTRIBUTES = {"shape_attributes": rect(1, 1, 4, 4), "region_attributes": {"kind": "a", "size": "b"}}
NO_ATTRIBUTE = {"shape_attributes": rect(1, 1, 4, 4), "region_attributes": {}}


@pytest.mark.parametrize(
    ("document", "options", "sentence"),
    [
        (document([TWO_ATTRIBUTES]), {}, "attributes kind, size; .*--label-attribute 'kind'"),
        (document([NO_ATTRIBUTE]), {}, "the regions have no attribute.*--default-class"),
        (document([R, NO_ATTRIBUTE]), {}, r"a\.png, region 2: has no 'kind'"),
        (document([R]), {"attribute": "sort"}, "no region has the attribute 'sort', they have kind"),
        (document([region(rect(1, 1, 4, 4), {"x": True, "y": True})]), {}, "ticks x and y"),
        (document([region(rect(1, 1, 4, 4), 7.5)]), {}, "'kind' is 7.5, not a name"),
        (document([R]), {"classes": ("stone",)}, "regions of the class 'leaf', but the classes are background, stone"),
        (document([R]), {"classes": ("leaf", "ignore")}, "'ignore' names regions that neither train nor score"),
        (document([R, region({"name": "point", "cx": 1, "cy": 1})]), {}, r"a\.png, region 2: a point"),
        (document([region(rect(100, 1, 4, 4))]), {}, "region 1: lies outside the picture, which is 32×24"),
        (document([]), {}, "no region names a class"),
        (document([R], "../secret.png"), {}, "1 of 1 pictures are not in"),
        (document([R], "/etc/secret.png"), {}, "1 of 1 pictures are not in"),
        ({"a": document([R])["a.png123"], "b": document([R])["a.png123"]}, {}, "lists 'a.png' twice"),
        (document(None), {}, "has no filename or no regions"),
        (document(["x"]), {"default_class": "leaf"}, "region 1: has no shape_attributes"),
        ({"images": [], "annotations": []}, {}, "is not VIA JSON or CSV .its keys are images, annotations"),
        ({}, {}, "lists no pictures"),
        ([1, 2], {}, "is not VIA JSON or CSV"),
        ({"_via_img_metadata": 3}, {}, "no region names a class"),
    ],
)
def test_refusals_name_the_file(project: Project, document, options, sentence: str) -> None:
    with pytest.raises(AnnotationError, match=f"via\\.json: .*{sentence}"):
        project.load(document, **options)
    assert not project.out.exists()


def test_a_background_without_a_name_is_refused(project: Project) -> None:
    with pytest.raises(DatasetError, match="every class needs a name, got ''"):
        project.load(document([R]), background="")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_json_is_refused(project: Project, content: bytes) -> None:
    project.file.write_bytes(content)
    with pytest.raises(AnnotationError, match=r"is not JSON|nested deeper"):
        import_via(project.file, project.folder, project.out)


def test_missing_pictures_are_counted_or_skipped(project: Project) -> None:
    listed = document([R]) | document([R], "gone1.png") | document([R], "gone2.png")
    with pytest.raises(DatasetError, match=r"2 of 3 pictures .* first 'gone1\.png'.*--skip-missing"):
        project.load(listed)
    report = project.load(listed, skip_missing=True)
    assert (report.imported, len(report.skipped)) == (1, 2)


@pytest.mark.parametrize(("skip_empty", "imported", "empty"), [(False, 2, 1), (True, 1, 0)])
def test_pictures_without_regions(project: Project, skip_empty: bool, imported: int, empty: int) -> None:
    report = project.load(document([R]) | document([], "b.png"), skip_empty=skip_empty)
    assert (report.imported, report.empty) == (imported, empty)


def test_masks_have_the_size_seen_after_exif_orientation(project: Project) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (WIDTH, HEIGHT)).save(project.folder / "a.png", exif=exif)
    assert project.regions(region(rect(2, 28, 4, 2))).shape == (WIDTH, HEIGHT)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 40) | st.floats() | st.sampled_from(["leaf", "", "rect", "a.png"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["kind", "name", "x", "y", "width", "height", "r"]), inner, max_size=5)
    ),
    max_leaves=8,
)
shapes = st.fixed_dictionaries(
    {"name": st.sampled_from(["rect", "polygon", "circle", "ellipse", "polyline", "point", "x"]) | json_values},
    optional={
        key: json_values | st.lists(st.integers(-9, 40), min_size=3, max_size=3)
        for key in (
            "x",
            "y",
            "width",
            "height",
            "cx",
            "cy",
            "r",
            "rx",
            "ry",
            "theta",
            "all_points_x",
            "all_points_y",
        )
    },
)
entries = st.fixed_dictionaries(
    {
        "filename": st.sampled_from(["a.png", "b.png"]) | json_values,
        "regions": st.lists(
            st.fixed_dictionaries({"shape_attributes": shapes | json_values, "region_attributes": json_values}),
            max_size=2,
        )
        | json_values,
    }
)


@given(st.dictionaries(st.text(max_size=3), entries | json_values, max_size=3) | json_values)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_gives_a_data_set_or_a_sentence(tmp_path_factory, content: Any) -> None:
    project = Project(tmp_path_factory.mktemp("any"))
    try:
        report = project.load(content)
    except DatasetError as error:
        assert "via.json" in str(error) or "two images" in str(error)  # noqa: PT017
        assert not project.out.exists()
    else:
        assert report.imported == len(list((project.out / "masks").iterdir()))


# Real files -----------------------------------------------------------------------------------------


@pytest.mark.shared
def test_real_bottles(shared_dir: Path, tmp_path: Path) -> None:
    bottles = shared_dir / "data" / "bottles_via"
    report = import_via(bottles / "via_region_data.json", bottles, tmp_path / "out")
    assert (report.imported, report.empty) == (131, 4)
    mask = read_mask(tmp_path / "out" / "masks" / "12.png")
    assert mask[480, 700] == 1
    assert mask[100, 100] == 0


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "images", "options", "expected"),
    [
        ("via1_unit_tests/unit_test_annotation2.json", ".", {}, "region 3: a point covers no pixels"),
        ("via2_basic_demo/via_export_json.json", ".", {}, "image_quality, name, type"),
        ("via2_basic_demo/via_export_json.json", ".", {"attribute": "type"}, 2),
        (
            "via2_wood_debris_polyline_missing_images/train/via-region-data-july-24_v3.json",
            "images",
            {},
            "36 of 69",
        ),
        (
            "via2_wood_debris_polyline_missing_images/train/via-region-data-july-24_v3.json",
            "images",
            {"skip_missing": True},
            33,
        ),
        ("via1_unit_tests/unit_test_annotation2.json", ".", {"point_radius": 0, "default_class": "thing"}, 3),
        ("via1_unit_tests/unit_test_annotation1.csv", ".", {"point_radius": 4, "default_class": "thing"}, 3),
        ("via2_basic_demo/via_export_csv.csv", ".", {"default_class": "thing"}, 2),
        ("via3_demo/via3_project_from_demo.json", ".", {"attribute": "Name"}, "1 of 2 pictures"),
        ("via3_demo/via3_project_from_demo.json", ".", {"attribute": "Name", "skip_missing": True}, 1),
    ],
)
def test_real_exports(shared_dir: Path, tmp_path: Path, *, path, images, options, expected) -> None:
    file = shared_dir / "data" / "annotation_formats" / path
    if isinstance(expected, str):
        with pytest.raises(DatasetError, match=expected):
            import_via(file, file.parent / images, tmp_path / "out", **options)
    else:
        report = import_via(file, file.parent / images, tmp_path / "out", **options)
        assert report.imported == expected
