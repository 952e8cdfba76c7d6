"""Pictures with masks in a second folder."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_seg.dataset import Dataset, SplitPolicy
from edge_seg.errors import AnnotationError, DatasetError
from edge_seg.images import read_mask
from edge_seg.importers import Description, import_masks, paired, parse_mask_map
from edge_seg.importers.mask_maps import ValueMap

ABOUT = Description("toys", split=SplitPolicy(val=0.5))
TOYS = parse_mask_map("0=background,7=toy")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    for number, value in enumerate((0, 7, 7, 0)):
        Image.new("RGB", (6, 4), (number, 9, 9)).save(images / f"p{number}.jpg")
        Image.fromarray(np.full((4, 6), value, np.uint8)).save(masks / f"p{number}.png")
    return images, masks, tmp_path / "out"


@pytest.mark.parametrize(
    ("text", "names", "ids"),
    [
        ("1=pet,2=background,3=border", ("pet", "background", "border"), {1: 0, 2: 1, 3: 2}),
        (" 0 = a , 9 = b ", ("a", "b"), {0: 0, 9: 1}),
        ("0=a,1=b,2=a", ("a", "b"), {0: 0, 1: 1, 2: 0}),
        ("0=ignore,1=a,255=ignore", ("a",), {0: 255, 1: 0, 255: 255}),
        ("5=general bag", ("general bag",), {5: 0}),
    ],
)
def test_map_numbers_names_in_order(text: str, names: tuple[str, ...], ids: dict[int, int]) -> None:
    value_map = parse_mask_map(text)
    assert value_map == ValueMap(names, ids)


@pytest.mark.parametrize("text", ["", "1", "a=1", "=a", "1=", "256=a", "-1=a", "1=a,1=b", "0=ignore", "²=a"])
def test_map_refuses(text: str) -> None:
    with pytest.raises(DatasetError, match=r"1=pet|twice"):
        parse_mask_map(text)


def test_every_value_is_translated(tmp_path: Path) -> None:
    Image.fromarray(np.array([[1, 2], [3, 255]], np.uint8)).save(tmp_path / "m.png")
    applied = parse_mask_map("3=a,1=b,2=a,255=ignore").read(tmp_path / "m.png")
    assert applied.tolist() == [[1, 0], [0, 255]]
    assert applied.dtype == np.uint8


def test_imports_pictures_byte_for_byte(folders: tuple[Path, Path, Path]) -> None:
    images, masks, out = folders
    (images / ".hidden.jpg").write_bytes(b"no image")
    (images / "notes.txt").write_text("no image")
    report = import_masks(paired(images, masks), out, TOYS, ABOUT)
    dataset = Dataset.open(out)
    assert (report.imported, report.skipped) == (4, ())
    assert dataset.manifest.class_names == ("background", "toy")
    assert len(dataset.samples("train")) == len(dataset.samples("val")) == 2
    assert (out / "images" / "p1.jpg").read_bytes() == (images / "p1.jpg").read_bytes()
    assert read_mask(out / "masks" / "p1.png").tolist() == [[1] * 6] * 4


def _unknown_value(images: Path, masks: Path) -> None:
    Image.new("L", (6, 4), 3).save(masks / "p2.png")


def _other_size(images: Path, masks: Path) -> None:
    Image.new("L", (4, 6), 7).save(masks / "p2.png")


def _colour_mask(images: Path, masks: Path) -> None:
    Image.new("RGB", (6, 4)).save(masks / "p2.png")


def _truncated(images: Path, masks: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    Image.fromarray(noise).save(images / "p2.jpg")
    content = (images / "p2.jpg").read_bytes()
    (images / "p2.jpg").write_bytes(content[: len(content) // 2])


def _no_image(images: Path, masks: Path) -> None:
    (images / "p2.jpg").write_bytes(b"<html>not found</html>")


def _mask_absent(images: Path, masks: Path) -> None:
    (masks / "p2.png").unlink()


FAULTS = [
    (_unknown_value, AnnotationError, r"p2\.png: holds the value 3, .*add 3=NAME or 3=ignore"),
    (_other_size, DatasetError, r"p2\.png: the mask is 4×6 but its image is 6×4"),
    (_colour_mask, AnnotationError, r"p2\.png: .*mode RGB"),
    (_truncated, AnnotationError, r"p2\.jpg: cannot be decoded"),
    (_no_image, AnnotationError, r"p2\.jpg: not an image"),
    (_mask_absent, DatasetError, r"p2\.jpg: no mask called 'p2'.*--skip-bad"),
]


@pytest.mark.parametrize(("spoil", "error", "sentence"), FAULTS)
def test_a_bad_pair_stops_the_import_and_leaves_nothing(folders, spoil, error, sentence) -> None:
    images, masks, out = folders
    spoil(images, masks)
    with pytest.raises(error, match=sentence):
        import_masks(paired(images, masks), out, TOYS, ABOUT)
    assert sorted(path.name for path in out.parent.iterdir()) == ["images", "masks"]


@pytest.mark.parametrize(("spoil", "error", "sentence"), FAULTS)
def test_skip_bad_leaves_the_pair_out_and_says_so(folders, spoil, error, sentence) -> None:
    images, masks, out = folders
    spoil(images, masks)
    report = import_masks(paired(images, masks), out, TOYS, ABOUT, skip_bad=True)
    assert report.imported == 3
    (skipped,) = report.skipped
    assert "p2" in skipped
    assert not (out / "images" / "p2.jpg").exists()


def test_a_mask_without_picture_is_an_error(folders: tuple[Path, Path, Path]) -> None:
    images, masks, out = folders
    (images / "p0.jpg").unlink()
    (images / "p1.jpg").unlink()
    with pytest.raises(DatasetError, match=r"p0\.png: no picture called 'p0'.*\(1 more files"):
        import_masks(paired(images, masks), out, TOYS, ABOUT)


def test_two_pictures_of_one_stem_are_refused(folders: tuple[Path, Path, Path]) -> None:
    images, masks, out = folders
    Image.new("RGB", (6, 4)).save(images / "p0.png")
    with pytest.raises(DatasetError, match=r"p0\.jpg and p0\.png share a stem"):
        import_masks(paired(images, masks), out, TOYS, ABOUT)


def test_an_existing_folder_is_left_alone(folders: tuple[Path, Path, Path]) -> None:
    images, masks, out = folders
    out.mkdir()
    (out / "precious.txt").write_text("mine")
    with pytest.raises(DatasetError, match="exists already"):
        import_masks(paired(images, masks), out, TOYS, ABOUT)
    assert [path.name for path in out.iterdir()] == ["precious.txt"]


@pytest.mark.shared
def test_real_pets(shared_dir: Path, tmp_path: Path) -> None:
    pets = shared_dir / "data" / "pets"
    value_map = parse_mask_map("1=pet,2=background,3=border")
    report = import_masks(paired(pets / "images", pets / "masks"), tmp_path / "pets", value_map, Description("pets"))
    dataset = Dataset.open(tmp_path / "pets")
    assert report.imported == 625
    assert (len(dataset.samples("train")), len(dataset.samples("val"))) == (500, 125)
    by_name = {item.name: item for split in ("train", "val") for item in dataset.samples(split)}
    gif, rgba = by_name["Abyssinian_34.jpg"], by_name["Abyssinian_5.jpg"]
    assert set(np.unique(dataset.read(gif)[1])) == {1}
    assert dataset.read(rgba)[0].shape[2] == 3
