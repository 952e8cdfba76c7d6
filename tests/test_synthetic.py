"""Generated pictures, and the contact sheet that shows them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_seg.classes import make_classes
from edge_seg.contact_sheet import contact_sheet
from edge_seg.dataset import Dataset, SplitPolicy
from edge_seg.synthetic import LEAF_ID, STONE_ID, generate_dataset, generate_picture


def test_same_seed_same_picture() -> None:
    first, again = generate_picture(64, seed=3, number=5), generate_picture(64, seed=3, number=5)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize(("seed", "number"), [(4, 5), (3, 6)])
def test_another_seed_or_number_is_another_picture(seed: int, number: int) -> None:
    image, _ = generate_picture(64, seed=3, number=5)
    assert np.abs(image.astype(int) - generate_picture(64, seed=seed, number=number)[0]).mean() > 5


@pytest.mark.parametrize("size", [32, 96, 161])
def test_shapes_and_ids(size: int) -> None:
    image, class_map = generate_picture(size, seed=0, number=0)
    assert (image.shape, image.dtype) == ((size, size, 3), np.uint8)
    assert (class_map.shape, class_map.dtype) == ((size, size), np.uint8)
    assert class_map.max() <= STONE_ID


def test_every_class_has_a_fair_share() -> None:
    maps = [generate_picture(64, seed=0, number=number)[1] for number in range(40)]
    shares = np.bincount(np.concatenate([item.ravel() for item in maps]), minlength=3) / (40 * 64 * 64)
    assert shares[0] > 0.5
    assert min(shares[LEAF_ID], shares[STONE_ID]) > 0.07


def test_objects_can_be_told_from_the_ground() -> None:
    """Colour alone does not solve it, but stones are greyer than leaves, as the eye sees."""
    saturation: dict[int, list[float]] = {LEAF_ID: [], STONE_ID: []}
    for number in range(20):
        image, class_map = generate_picture(64, seed=0, number=number)
        spread = image.max(axis=2).astype(int) - image.min(axis=2)
        for class_id, values in saturation.items():
            values.extend(spread[class_map == class_id].tolist())
    assert np.mean(saturation[LEAF_ID]) > 2 * np.mean(saturation[STONE_ID])


def test_blades_lie_over_the_objects() -> None:
    """Thin strips of ground run through leaves and stones: without blades there are half as many."""
    maps = [(generate_picture(96, seed=0, number=number)[1] > 0).astype(np.uint8) for number in range(40)]
    closed = [cv2.morphologyEx(item, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) for item in maps]
    assert np.mean(closed) - np.mean(maps) > 0.006


def test_grounds_differ_in_brightness_and_texture() -> None:
    """Between pictures, and within them: half of the grounds and the shade are rough."""
    brightness, roughness = [], []
    for number in range(40):
        image, class_map = generate_picture(64, seed=0, number=number)
        ground = image[class_map == 0].mean(axis=1)
        brightness.append(ground.mean())
        roughness.append(ground.std())
    assert np.std(brightness) > 25
    assert np.percentile(roughness, 90) > 2 * np.percentile(roughness, 10)


def test_a_data_set_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    for name in ("one/scenes", "two/scenes"):
        generate_dataset(tmp_path / name, count=4, size=48, split=SplitPolicy(seed=5))
    first, again = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "one", tmp_path / "two")
    )
    assert len(first) == 4 + 4 + 2 + 1
    assert first == again


def test_data_set_says_what_it_is(tmp_path: Path) -> None:
    generate_dataset(tmp_path / "scenes", count=10, size=48, split=SplitPolicy(seed=1, val=0.3))
    dataset = Dataset.open(tmp_path / "scenes")
    assert dataset.manifest.class_names == ("background", "leaf", "stone")
    assert (dataset.manifest.licence, dataset.manifest.split.seed) == ("CC0-1.0", 1)
    assert "generate" in dataset.manifest.source
    assert (len(dataset.samples("train")), len(dataset.samples("val"))) == (7, 3)
    image, mask = dataset.read(dataset.samples("val")[0])
    assert image.shape[:2] == mask.shape == (48, 48)


# The contact sheet ----------------------------------------------------------------------------------

RED = np.full((40, 60, 3), (200, 0, 0), np.uint8)
TALL = np.full((90, 30, 3), (0, 200, 0), np.uint8)


@pytest.mark.parametrize("tiles", [[RED], [RED] * 3, [RED, TALL, RED], [TALL] * 7])
def test_sheets_of_any_tiles_have_one_width(tiles: list[np.ndarray]) -> None:
    widths = {contact_sheet(tiles, 3, 100, captions).shape[1] for captions in (None, ["x" * 200] * len(tiles))}
    assert widths == {contact_sheet([RED] * 3, 3, 100).shape[1]}


def test_tiles_are_shown_whole_and_undistorted() -> None:
    sheet = contact_sheet([RED, TALL], 2, 120).astype(int)
    for colour, aspect in (((200, 0, 0), 1.5), ((0, 200, 0), 1 / 3)):
        rows, columns = np.nonzero(np.abs(sheet - colour).max(axis=2) < 30)
        assert np.ptp(columns) / np.ptp(rows) == pytest.approx(aspect, rel=0.05)


def test_legend_shows_the_colours() -> None:
    classes = make_classes(["background", "leaf", "stone"])
    with_legend, without = contact_sheet([RED], 1, 200, None, classes), contact_sheet([RED], 1, 200)
    added = with_legend[without.shape[0] - 20 :].reshape(-1, 3).tolist()
    assert with_legend.shape[0] > without.shape[0]
    assert all(list(item.rgb) in added for item in classes if not item.is_background)


@pytest.mark.parametrize(("tiles", "columns", "captions"), [([], 2, None), ([RED], 0, None), ([RED], 1, ["a", "b"])])
def test_sheets_that_cannot_be(tiles, columns, captions) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        contact_sheet(tiles, columns, 100, captions)
