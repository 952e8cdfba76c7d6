"""`edge-seg data check --fix`: what has one meaning is repaired, in a copy."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner, Result

from edge_seg.classes import make_classes
from edge_seg.cli.app import build_app
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy
from edge_seg.dataset.mask_repair import is_scaled
from edge_seg.dataset.repair import repair_dataset
from edge_seg.errors import DatasetError
from edge_seg.images import read_image, read_mask, upright_mask, write_image, write_mask

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 36, 3), dtype=np.uint8)
MASK = np.random.default_rng(1).choice(np.array([0, 1, 2, 255], np.uint8), (6, 9)).repeat(4, 0).repeat(4, 1)
CLASSES = make_classes(["background", "leaf", "stone"])
COLOURS = np.array([*(item.rgb for item in CLASSES), *[(224, 224, 192)] * 253], np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with DatasetWriter(tmp_path / "x", name="x", classes=CLASSES) as writer:
        writer.add_array("a.png", IMAGE, MASK)
        writer.add_array("b.png", IMAGE[::-1], MASK[::-1])
        writer.use_splits({"train": ["a.png"], "val": ["b.png"]}, SplitPolicy())
    return tmp_path / "x"


@pytest.fixture
def run():
    app = build_app("data")

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, ["data", "check", *map(str, words)])

    return invoke


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def repaired(folder: Path) -> tuple[list[str], Dataset]:
    """Repair a copy; return what was done, and the copy."""
    before = content_of(folder)
    out = folder.parent / "out"
    repairs = repair_dataset(Dataset.open(folder), out)
    assert content_of(folder) == before
    return [item.sentence for item in repairs], Dataset.open(out)


def mask_as(folder: Path, image: Image.Image, **options: object) -> None:
    image.save(folder / "masks" / "a.png", **{"format": "PNG", **options})


def palette_in_another_order() -> Image.Image:
    """Indices that are no ids, of colours that are those of the classes."""
    image = Image.fromarray(np.array([7, 3, 5], np.uint8)[np.minimum(MASK, 2)])
    colours = np.zeros((256, 3), np.uint8)
    colours[[7, 3, 5]] = COLOURS[:3]
    image.putpalette(colours.ravel().tolist())
    return image


def transparent() -> Image.Image:
    rgba = np.dstack([COLOURS[MASK], np.full(MASK.shape, 255, np.uint8)])
    rgba[0, 0, 3] = 0
    return Image.fromarray(rgba)


WITHOUT_IGNORED = np.minimum(MASK, 2)
GREY = np.repeat(MASK[..., None], 3, 2)
RECOVERED: list[tuple[str, Image.Image, dict[str, str], np.ndarray]] = [
    ("the values of mode RGB", Image.fromarray(GREY), {}, MASK),
    ("the values of mode RGBA", Image.fromarray(GREY).convert("RGBA"), {}, MASK),
    ("the values of mode LA", Image.fromarray(MASK).convert("LA"), {}, MASK),
    ("the values of mode I;16", Image.fromarray(MASK.astype(np.uint16)), {}, MASK),
    ("the colours of mode RGB", Image.fromarray(COLOURS[MASK]), {}, MASK),
    ("the colours of mode RGBA", Image.fromarray(COLOURS[MASK]).convert("RGBA"), {}, MASK),
    ("the colours of mode P", palette_in_another_order(), {}, WITHOUT_IGNORED),
    ("rewritten as PNG, from BMP", Image.fromarray(MASK), {"format": "BMP"}, MASK),
    ("rewritten as PNG, from TIFF", Image.fromarray(MASK), {"format": "TIFF"}, MASK),
]


@pytest.mark.parametrize(("done", "image", "options", "expected"), RECOVERED)
def test_ids_are_recovered(folder: Path, done: str, image: Image.Image, options, expected) -> None:
    mask_as(folder, image, **options)
    (sentence,), dataset = repaired(folder)
    assert sentence.startswith("masks/a.png: ")
    assert done in sentence
    assert dataset.read(dataset.samples("train")[0])[1].tolist() == expected.tolist()


DOUBTFUL: list[Image.Image] = [
    Image.fromarray(np.where(GREY > 0, 255, 0).astype(np.uint8)),  # white may be a class
    Image.fromarray(np.zeros((24, 36, 3), np.uint8) + np.uint8(9)),  # 9 is no class
    Image.fromarray(COLOURS[MASK] ^ 1),  # nearly the colours of the classes
    transparent(),
    Image.fromarray(MASK.astype(np.uint16) * 257),
    Image.fromarray(MASK.astype(np.float32)),
    Image.fromarray(MASK[:-1]),  # a row less may be cut off
    Image.fromarray(MASK[:20, :20]),
]


@pytest.mark.parametrize("image", DOUBTFUL)
def test_what_leaves_doubt_is_left(folder: Path, image: Image.Image) -> None:
    mask_as(folder, image, **({"format": "TIFF"} if image.mode == "F" else {}))
    done, dataset = repaired(folder)
    assert done == []
    assert content_of(dataset.folder) == content_of(folder)


def test_colours_that_contradict_the_values_are_left(folder: Path) -> None:
    """Black is id 0 by its value and, where the background is class 1, id 1 by its colour."""
    toml = (folder / "dataset.toml").read_text().replace("#E69F00", "#010203").replace("#000000", "#E69F00")
    (folder / "dataset.toml").write_text(toml.replace("#010203", "#000000"))
    mask_as(folder, Image.fromarray(np.zeros((24, 36, 3), np.uint8)))
    assert repaired(folder)[0] == []


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_mask_drawn_on_a_lying_picture_is_turned(folder: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    shown = np.repeat(MASK[..., None], 3, 2)
    Image.fromarray(shown).save(folder / "images" / "a.png", exif=exif)
    (sentence,), dataset = repaired(folder)
    assert sentence == "masks/a.png: turned upright with its picture"
    image, mask = dataset.read(dataset.samples("train")[0])
    assert np.array_equal(image[..., 0], mask)
    assert np.array_equal(mask, upright_mask(MASK, orientation))


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_a_picture_that_keeps_its_sides_tells_nothing_of_its_mask(folder: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(IMAGE).save(folder / "images" / "a.png", exif=exif)
    assert repaired(folder)[0] == []


@pytest.mark.parametrize(("rows", "columns"), [(12, 18), (6, 9), (48, 72)])
def test_a_scaled_mask_is_scaled_back(folder: Path, rows: int, columns: int) -> None:
    scaled = np.asarray(Image.fromarray(MASK).resize((columns, rows), Image.Resampling.NEAREST))
    write_mask(folder / "masks" / "a.png", scaled)
    (sentence,), dataset = repaired(folder)
    assert sentence == f"masks/a.png: scaled from {columns}×{rows} to 36×24"
    assert np.array_equal(dataset.read(dataset.samples("train")[0])[1], MASK)


def test_repairs_add_up(folder: Path) -> None:
    mask_as(folder, Image.fromarray(COLOURS[MASK[::2, ::2]]))
    (sentence,), dataset = repaired(folder)
    assert sentence == "masks/a.png: ids recovered from the colours of mode RGB, scaled from 18×12 to 36×24"
    assert np.array_equal(dataset.read(dataset.samples("train")[0])[1], MASK)


@pytest.mark.parametrize(
    ("size", "other", "answer"),
    [
        ((320, 240), (640, 480), True),
        ((640, 480), (320, 240), True),
        ((333, 250), (500, 375), True),
        ((213, 160), (640, 480), True),
        ((500, 375), (500, 375), False),
        ((499, 375), (500, 375), False),
        ((480, 640), (640, 480), False),
        ((512, 512), (640, 480), False),
        ((400, 240), (640, 480), False),
        ((64, 48), (640, 480), False),
    ],
)
def test_sizes_that_differ_by_a_factor(size, other, answer: bool) -> None:
    assert is_scaled(size, other) is answer


@given(
    width=st.integers(100, 4000),
    height=st.integers(100, 4000),
    factor=st.floats(0.13, 0.97),
    rounding=st.sampled_from([round, np.floor, np.ceil]),
)
def test_any_rounded_factor_is_one(width: int, height: int, factor: float, rounding: Callable[[float], float]) -> None:
    size = int(rounding(width * factor)), int(rounding(height * factor))
    assert is_scaled(size, (width, height))
    assert is_scaled((width, height), size)


def test_a_lying_suffix_is_set_right_in_the_lists_too(folder: Path) -> None:
    (folder / "images" / "a.png").unlink()
    write_image(folder / "images" / "other.jpg", IMAGE)
    (folder / "images" / "other.jpg").rename(folder / "images" / "a.png")
    (folder / "splits" / "train.txt").write_bytes(b"a.png\r\n")
    done, dataset = repaired(folder)
    assert done == ["images/a.png: renamed to a.jpg, after what it holds"]
    assert [sample.name for sample in dataset.samples("train")] == ["a.jpg"]
    assert dataset.read(dataset.samples("train")[0])[1].tolist() == MASK.tolist()
    assert not (dataset.folder / "images" / "a.png").exists()


def test_no_name_is_taken_away(folder: Path) -> None:
    (folder / "images" / "b.png").rename(folder / "images" / "a.jpg")  # a PNG inside
    write_image(folder / "images" / "c.jpg", IMAGE)
    (folder / "images" / "c.jpg").rename(folder / "images" / "a.png")  # a JPEG inside
    (folder / "splits" / "val.txt").write_text("a.jpg\n")
    assert repaired(folder)[0] == []


def test_a_sound_data_set_is_copied_whole(folder: Path) -> None:
    (folder / "images" / "unlisted.png").write_bytes(b"anything")
    done, dataset = repaired(folder)
    assert (done, content_of(dataset.folder)) == ([], content_of(folder))


def test_links_become_files(folder: Path) -> None:
    (folder / "images" / "a.png").rename(folder.parent / "elsewhere.png")
    (folder / "images" / "a.png").symlink_to(folder.parent / "elsewhere.png")
    _, dataset = repaired(folder)
    assert not (dataset.folder / "images" / "a.png").is_symlink()
    assert np.array_equal(read_image(dataset.folder / "images" / "a.png"), IMAGE)


@pytest.mark.parametrize("place", ["taken", "x/inside", "x"])
def test_a_place_that_will_not_do(folder: Path, place: str) -> None:
    (folder.parent / "taken").mkdir()
    (folder.parent / "taken" / "something").touch()
    before = content_of(folder.parent)
    with pytest.raises(DatasetError, match=r"exists already|lies inside"):
        repair_dataset(Dataset.open(folder), folder.parent / place)
    assert content_of(folder.parent) == before


def test_nothing_is_left_of_a_repair_that_fails(folder: Path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space"):
        repair_dataset(Dataset.open(folder), folder.parent / "new" / "out")
    assert [path.name for path in folder.parent.iterdir()] == ["x"]


def test_the_command_lists_repairs_and_what_is_left(run, folder: Path, tmp_path: Path) -> None:
    mask_as(folder, Image.fromarray(COLOURS[MASK]))
    (folder / "masks" / "b.png").write_bytes(b"no mask")
    result = run(folder, "--fix", tmp_path / "out", "--html", tmp_path / "page.html")
    assert result.exit_code == 1
    assert "repaired masks/a.png: ids recovered from the colours of mode RGB" in result.stdout
    assert "error    masks/b.png: not an image" in result.stdout
    assert "Repaired in this copy" in (tmp_path / "page.html").read_text()
    content = json.loads(run(folder, "--fix", tmp_path / "again", "--json").stdout)
    assert content["repairs"] == [
        {"picture": "a.png", "sentence": "masks/a.png: ids recovered from the colours of mode RGB"}
    ]
    assert [item["kind"] for item in content["findings"] if item["severity"] == "error"] == ["undecodable"]
    assert np.array_equal(read_mask(tmp_path / "again" / "masks" / "a.png"), MASK)
    refused = run(folder, "--fix", tmp_path / "out")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "exists already" in refused.stderr
