"""The figures of a data set: counted by hand on small masks, then drawn."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from edge_seg.classes import make_classes
from edge_seg.cli.data.statistics_tables import text_bars
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy
from edge_seg.dataset.statistics import (
    AREA_EDGES,
    LOCATION_CELLS,
    DatasetStatistics,
    PictureFigures,
    Spread,
    count_objects,
    locate,
    measure_dataset,
    summarise,
    summarise_pictures,
)
from edge_seg.errors import DatasetError, ImageError
from edge_seg.images import read_image
from edge_seg.statistics_charts import MOST_CLASSES, drawn_classes, write_sheet
from edge_seg.statistics_page import write_page

CLASSES = make_classes(["background", "leaf", "stone"])


def figures(*pixels: int, ignored: int = 0, size: tuple[int, int] = (10, 10), kind: str = "JPEG") -> PictureFigures:
    return PictureFigures(kind, *size, np.array(pixels, np.int64), np.array([0, 2, 1]), ignored)


def test_shares_and_medians() -> None:
    group = summarise([figures(90, 10, 0), figures(50, 30, 0, ignored=20), figures(100, 0, 0)], CLASSES)
    leaf, stone = group.classes["leaf"], group.classes["stone"]
    assert (group.pictures, group.ignored_share) == (3, pytest.approx(20 / 300))
    assert (leaf.pictures, leaf.objects) == (2, 6)
    assert leaf.pixel_share == pytest.approx(40 / 280)
    assert leaf.share_where_present == pytest.approx(40 / 180)
    assert (leaf.median_area_px, leaf.median_area_share) == (20, pytest.approx(0.2))
    assert (stone.pictures, stone.pixel_share, stone.median_area_px) == (0, 0, 0)
    assert group.classes["background"].objects is None


@pytest.mark.parametrize(
    ("pixels", "area", "position"), [(1, 100_000, 0), (1, 10_000, 1), (10, 100, 7), (30, 100, 8), (100, 100, 8)]
)
def test_an_area_falls_into_its_bin(pixels: int, area: int, position: int) -> None:
    group = summarise([figures(0, pixels, 0, size=(area, 1))], CLASSES)
    assert group.classes["leaf"].area_histogram == tuple(int(index == position) for index in range(9))


def test_a_group_of_ignored_pixels_alone() -> None:
    group = summarise([figures(0, 0, 0, ignored=100)], CLASSES)
    assert (group.ignored_share, group.classes["leaf"].pixel_share) == (1, 0)


def test_sizes_and_formats() -> None:
    sizes = [(20, 10), (20, 10), (10, 40)]
    pictures = summarise_pictures([figures(1, 1, 1, size=size, kind=str(size[0])) for size in sizes])
    assert pictures.width_px == Spread(10, 20, 20)
    assert pictures.aspect_ratio == Spread(0.25, 2, 2)
    assert pictures.sizes == ((20, 10, 2), (10, 40, 1))
    assert pictures.formats == {"20": 2, "10": 1}


@pytest.mark.parametrize(
    ("rows", "count"), [(["..", ".."], 0), (["x.", ".x"], 1), (["x.x", "...", "xxx"], 3), (["xxx", "x.x", "xxx"], 1)]
)
def test_objects_are_connected_pieces(rows: list[str], count: int) -> None:
    mask = np.array([[cell == "x" for cell in row] for row in rows]).astype(np.uint8)
    assert count_objects(mask, 1) == count


@given(arrays(np.uint8, (64, 96), elements=st.sampled_from([0, 1, 255])))
def test_cells_hold_the_share_of_the_class(mask: np.ndarray) -> None:
    cells = locate(mask, 1)
    assert cells.shape == (LOCATION_CELLS, LOCATION_CELLS)
    assert cells.mean() / 255 == pytest.approx((mask == 1).mean(), abs=0.003)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=12))
def test_bars_are_in_proportion(counts: list[int]) -> None:
    eighths = [sum(" ▁▂▃▄▅▆▇█".index(line[0]) for line in bar.split("\n")) for bar in text_bars(counts, lines=2)]
    assert all(height == -(-16 * count // max(1, *counts)) for height, count in zip(eighths, counts, strict=True))


# On a folder ----------------------------------------------------------------------------------------


@pytest.fixture
def scenes(tmp_path: Path) -> Dataset:
    """Three pictures: a leaf in the top left quarter, a stone on the right half, ground alone."""
    masks = np.zeros((3, 32, 64), np.uint8)
    masks[0, :16, :32], masks[1, :, 32:], masks[2, 0] = 1, 2, 255
    with DatasetWriter(tmp_path / "scenes", name="scenes", classes=CLASSES) as writer:
        for number, mask in enumerate(masks):
            writer.add_array(f"{number}.{'png' if number else 'jpg'}", np.zeros((32, 64, 3), np.uint8), mask)
        writer.use_splits({"train": ["0.jpg", "1.png"], "val": ["2.png"]}, SplitPolicy())
    return Dataset.open(tmp_path / "scenes")


def test_a_folder_is_measured(scenes: Dataset) -> None:
    statistics = measure_dataset(scenes)
    assert {split: group.pictures for split, group in statistics.splits.items()} == {"train": 2, "val": 1}
    assert statistics.splits["train"].classes["leaf"].pixel_share == pytest.approx(1 / 8)
    assert statistics.splits["val"].classes["leaf"].pictures == 0
    assert statistics.splits["val"].ignored_share == pytest.approx(1 / 32)
    assert statistics.pictures.formats == {"PNG": 2, "JPEG": 1}
    half = LOCATION_CELLS // 2
    assert statistics.locations[1, :half, :half].mean() == pytest.approx(1 / 3)
    assert statistics.locations[1].mean() == pytest.approx(1 / 12)
    assert statistics.locations[2, :, half:].mean() == pytest.approx(1 / 3)


def test_a_picture_is_measured_as_it_is_shown(scenes: Dataset) -> None:
    path = scenes.folder / "images" / "0.jpg"
    image = Image.new("RGB", (32, 64))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(path, exif=exif)
    assert measure_dataset(scenes).pictures.sizes == ((64, 32, 3),)


def _cut_mask(dataset: Dataset) -> None:
    Image.new("L", (9, 9)).save(dataset.folder / "masks" / "1.png")


def _stray_id(dataset: Dataset) -> None:
    Image.new("L", (64, 32), 7).save(dataset.folder / "masks" / "1.png")


def _no_image(dataset: Dataset) -> None:
    (dataset.folder / "images" / "1.png").write_bytes(b"no image")


def _no_splits(dataset: Dataset) -> None:
    for path in (dataset.folder / "splits").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("break_it", "error", "words"),
    [
        (_cut_mask, DatasetError, "the mask is 9×9 but its image is 64×32"),
        (_stray_id, DatasetError, "holds the id 7"),
        (_no_image, ImageError, "cannot identify"),
        (_no_splits, DatasetError, "lists no picture"),
    ],
)
def test_a_broken_folder_is_a_sentence(scenes: Dataset, break_it, error, words) -> None:
    break_it(scenes)
    with pytest.raises(error, match=words):
        measure_dataset(scenes)


# Drawn ----------------------------------------------------------------------------------------------


def many_classes(count: int) -> tuple[DatasetStatistics, tuple]:
    classes = make_classes(["background", *(f"<class {number}>" for number in range(1, count))])
    pixels = np.arange(count, dtype=np.int64)
    of_picture = PictureFigures("PNG", 100, 100, pixels, np.ones(count, np.int64), 1)
    group = summarise([of_picture], classes)
    locations = np.zeros((count, LOCATION_CELLS, LOCATION_CELLS), np.float32)
    return DatasetStatistics({"train": group}, group, summarise_pictures([of_picture]), locations), classes


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_sheet_and_a_page_of_any_number_of_classes(tmp_path: Path, count: int) -> None:
    statistics, classes = many_classes(count)
    with DatasetWriter(tmp_path / "x", name="<b>", classes=classes) as writer:
        writer.add_array("x.png", np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8))
    manifest = Dataset.open(tmp_path / "x").manifest
    write_sheet(tmp_path / "sheet.png", statistics, manifest)
    assert read_image(tmp_path / "sheet.png").shape[1] == 1430
    write_page(tmp_path / "page.html", statistics, manifest)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert page.count("data:image/svg+xml") == 1 + count - 1
    assert all(item.name.replace("<", "&lt;").replace(">", "&gt;") in page for item in classes)


def test_charts_show_the_frequent_classes() -> None:
    statistics, classes = many_classes(40)
    shown = drawn_classes(statistics, classes)
    assert len(shown) == MOST_CLASSES
    assert [item.id for item in shown] == list(range(1, MOST_CLASSES + 1))  # no picture holds class 0


def test_edges_rise() -> None:
    assert np.all(np.diff(AREA_EDGES) > 0)
