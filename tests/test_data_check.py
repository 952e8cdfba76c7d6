"""`check_dataset` and `edge-seg data check`: everything that is wrong, as findings."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner, Result

from edge_seg.classes import make_classes
from edge_seg.cli.app import build_app
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy
from edge_seg.dataset.checks import KINDS, CheckReport, check_dataset
from edge_seg.dataset.checks.inspection import is_boxes
from edge_seg.images import ClassMap, read_mask, write_image, write_mask
from edge_seg.synthetic import CLASS_NAMES, generate_picture

SIDE = 64
NAMES = [f"{letter}.png" for letter in "abcdefghijklmnopqrstuvwxyz"]


def written(folder: Path, train: int, val: int) -> Path:
    with DatasetWriter(folder, name="x", classes=make_classes(CLASS_NAMES)) as writer:
        for number, name in enumerate(NAMES[: train + val]):
            writer.add_array(name, *generate_picture(SIDE, seed=1, number=number))
        writer.use_splits({"train": NAMES[:train], "val": NAMES[train : train + val]}, SplitPolicy())
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    return written(tmp_path_factory.mktemp("check") / "small", train=2, val=1)


@pytest.fixture(scope="session")
def large(tmp_path_factory) -> Path:
    return written(tmp_path_factory.mktemp("check") / "large", train=22, val=4)


@pytest.fixture
def folder(small: Path, tmp_path: Path) -> Path:
    """Three pictures a, b (train) and c (val), all in order but for their number."""
    return Path(shutil.copytree(small, tmp_path / "x"))


def checked(folder: Path) -> CheckReport:
    return check_dataset(Dataset.open(folder))


def found(report: CheckReport) -> list[tuple[str, str]]:
    return [(item.kind, item.sentence) for item in report.findings if item.kind != "few-pictures"]


def lists(folder: Path, split: str, *names: str) -> None:
    (folder / "splits" / f"{split}.txt").write_text("\n".join(names))


def recoded(path: Path, like: str, **options: object) -> None:
    """Keep the file's name and write its picture in the format of another suffix."""
    other = path.with_name(f"other{like}")
    with Image.open(path) as image:
        image.load()
        image.save(other, **options)
    other.rename(path)


def test_a_good_data_set(large: Path) -> None:
    report = checked(large)
    assert report.findings == ()
    assert (report.splits["train"].pictures, report.splits["val"].pictures) == (22, 4)


def test_shares_and_pictures_of_classes(folder: Path) -> None:
    for name, row in {"a": [0, 0, 0, 1], "b": [0, 0, 0, 0], "c": [0, 1, 255, 255]}.items():
        write_mask(folder / "masks" / f"{name}.png", np.repeat([row], SIDE, 0).repeat(SIDE // 4, 1).astype(np.uint8))
    train, val = (checked(folder).splits[split] for split in ("train", "val"))
    assert train.pixel_shares == {"background": 0.875, "leaf": 0.125, "stone": 0}
    assert train.class_pictures == {"background": 2, "leaf": 1, "stone": 0}
    assert (train.ignored_share, val.ignored_share, val.pixel_shares["leaf"]) == (0, 0.5, 0.5)


def mask_of(folder: Path, value: int) -> None:
    write_mask(folder / "masks" / "a.png", np.full((SIDE, SIDE), value, np.uint8))


def stray(folder: Path, *, value: int) -> None:
    mask = read_mask(folder / "masks" / "a.png")
    mask[0, 0] = value
    write_mask(folder / "masks" / "a.png", mask)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_out(path: Path) -> None:
    path.rename(path.parents[2] / "elsewhere.png")
    path.symlink_to(path.parents[2] / "elsewhere.png")


def lying_picture(folder: Path) -> None:
    """Store a 64×32 picture that is to be shown as 32×64, with a mask drawn on it as stored."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(generate_picture(SIDE, seed=1, number=0)[0][:32]).save(folder / "images" / "a.png", exif=exif)
    write_mask(folder / "masks" / "a.png", generate_picture(SIDE, seed=1, number=0)[1][:32])


def exchange_sizes(folder: Path) -> None:
    for name, other, size in (("a", "b", (48, 64)), ("b", "a", (64, 40))):
        image, mask = generate_picture(SIDE, seed=1, number=ord(name))
        write_image(folder / "images" / f"{name}.png", image[: size[1], : size[0]])
        write_mask(folder / "masks" / f"{other}.png", mask[: size[1], : size[0]])


Spoil = Callable[[Path], object]
ONE_FINDING: list[tuple[str, Spoil, str]] = [
    ("no-split", lambda folder: (folder / "splits" / "train.txt").unlink(), r"train\.txt: no such split"),
    ("no-split", lambda folder: shutil.rmtree(folder / "splits"), r"train\.txt: no such split"),
    ("unreadable-list", lambda folder: replace_by_folder(folder / "splits" / "val.txt"), "cannot be read"),
    ("unreadable-list", lambda folder: (folder / "splits" / "test.txt").write_bytes(b"\xff.png"), "not UTF-8"),
    ("empty-split", lambda folder: lists(folder, "test"), r"test\.txt: names no image"),
    ("not-a-name", lambda folder: lists(folder, "val", "../c.png", "c.png"), r"'\.\./c\.png' is a path"),
    ("not-a-name", lambda folder: lists(folder, "val", "..", "c.png"), "is a path or no name"),
    ("not-a-name", lambda folder: lists(folder, "val", "\x1b[31m", "c.png"), "is a path or no name"),
    ("not-a-name", lambda folder: lists(folder, "val", "x" * 5000, "c.png"), "x' is a path or no name"),
    ("repeated-name", lambda folder: lists(folder, "val", "c.png", "c.png"), r"'c\.png' more than once"),
    ("in-two-splits", lambda folder: lists(folder, "val", "c.png", "b.png"), r"b\.png: is in train and val"),
    ("absent-file", lambda folder: (folder / "images" / "a.png").unlink(), r"images/a\.png: absent"),
    ("absent-file", lambda folder: (folder / "masks" / "a.png").unlink(), r"masks/a\.png: absent"),
    ("absent-file", lambda folder: replace_by_folder(folder / "masks" / "a.png"), r"masks/a\.png: is no file"),
    ("undecodable", lambda folder: (folder / "images" / "a.png").write_bytes(b"no image"), r"^images/a\.png: not an"),
    ("undecodable", lambda folder: (folder / "masks" / "a.png").write_bytes(b""), r"^masks/a\.png: not an image"),
    (
        "undecodable",
        lambda folder: (folder / "images" / "a.png").write_bytes(b"II*\0\x08\0\0\0"),  # of which Pillow warns too
        r"^images/a\.png: not an image",
    ),
    ("mask-mode", lambda folder: write_image(folder / "masks" / "a.png", np.ones((9, 9, 3), np.uint8)), "mode RGB"),
    ("size-mismatch", lambda folder: write_mask(folder / "masks" / "a.png", np.eye(9, dtype=np.uint8)), "9×9 but its"),
    ("size-mismatch", lying_picture, r"masks/a\.png: the mask lies on its side"),
    ("stray-id", lambda folder: stray(folder, value=9), "holds the id 9"),
    ("all-ignored", lambda folder: mask_of(folder, 255), "every pixel is 255"),
    ("mislabelled", lambda folder: recoded(folder / "images" / "a.png", ".gif"), r"is a GIF .* ends in \.png"),
    ("mislabelled", lambda folder: recoded(folder / "masks" / "a.png", ".bmp"), r"masks/a\.png: is a BMP"),
    ("outside-folder", lambda folder: link_out(folder / "images" / "a.png"), r"a\.png: is a link to .*elsewhere"),
    ("unlisted", lambda folder: lists(folder, "train", "a.png"), r"1 of the pictures are in no split, b\.png"),
    (
        "unused-mask",
        lambda folder: shutil.copy(folder / "masks" / "a.png", folder / "masks" / "z.png"),
        r"1 have no picture, z\.png",
    ),
    ("empty-mask", lambda folder: mask_of(folder, 0), r"masks/a\.png: holds background alone"),
    (
        "absent-class",
        lambda folder: write_mask(folder / "masks" / "c.png", np.minimum(read_mask(folder / "masks" / "c.png"), 1)),
        "val: no pixel .* 'stone'",
    ),
    (
        "duplicate",
        lambda folder: shutil.copy(folder / "images" / "a.png", folder / "images" / "b.png"),
        r"a\.png, b\.png are the same picture",
    ),
    (
        "crosses-splits",
        lambda folder: shutil.copy(folder / "images" / "a.png", folder / "images" / "c.png"),
        r"a\.png \(train\), c\.png \(val\) are the same picture",
    ),
]


@pytest.mark.parametrize(("kind", "spoil", "sentence"), ONE_FINDING)
def test_each_kind(folder: Path, kind: str, spoil: Spoil, sentence: str) -> None:
    spoil(folder)
    findings = [item for item in found(checked(folder)) if item[0] == kind]
    assert len(findings) == 1, findings
    assert re.search(sentence, findings[0][1]), findings


SPOILT_ALONE = ["repeated-name", "stray-id", "all-ignored", "mislabelled", "unlisted", "empty-mask", "duplicate"]


@pytest.mark.parametrize(("kind", "spoil"), [(kind, spoil) for kind, spoil, _ in ONE_FINDING if kind in SPOILT_ALONE])
def test_a_kind_brings_no_other(folder: Path, kind: str, spoil: Spoil) -> None:
    spoil(folder)
    assert {name for name, _ in found(checked(folder))} <= {kind, "absent-class"}


def test_severity_is_of_the_kind_and_errors_come_first(folder: Path) -> None:
    mask_of(folder, 0)
    write_mask(folder / "masks" / "b.png", np.eye(9, dtype=np.uint8))
    report = checked(folder)
    assert [item.kind for item in report.findings][:2] == ["size-mismatch", "empty-mask"]
    assert ([item.kind for item in report.errors], len(report.warnings)) == (
        ["size-mismatch"],
        len(report.findings) - 1,
    )
    assert list(report.by_kind) == [kind for kind in KINDS if kind in report.by_kind]


def test_pictures_that_share_a_mask(folder: Path) -> None:
    recoded(folder / "images" / "b.png", ".jpg")
    (folder / "images" / "b.png").rename(folder / "images" / "a.jpg")
    lists(folder, "train", "a.png", "a.jpg")
    assert ("shared-mask", "masks/a.png: is the mask of a.png, a.jpg; rename all but one, with a mask of its own") in (
        found(checked(folder))
    )


def test_masks_of_each_other_by_their_sizes(folder: Path) -> None:
    exchange_sizes(folder)
    kinds = [kind for kind, _ in found(checked(folder))]
    assert (kinds.count("size-mismatch"), kinds.count("looks-swapped")) == (2, 1)


def test_near_duplicates_within_and_across_splits(large: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(large, tmp_path / "x"))
    image, mask = generate_picture(192, seed=3, number=1)
    for name, brightness in (("a", 0.9), ("b", 1.0), ("z", 0.8)):
        write_image(folder / "images" / f"{name}.png", (image * brightness).astype(np.uint8))
        write_mask(folder / "masks" / f"{name}.png", mask)
    (finding,) = [item for item in checked(folder).findings if item.kind == "crosses-splits"]
    assert finding.sentence.startswith("images: a.png (train), z.png (val), b.png (train) show one scene")
    assert finding.pictures == ("a.png", "z.png", "b.png")
    lists(folder, "val", *NAMES[22:25])
    (finding,) = [item for item in checked(folder).findings if item.kind == "near-duplicate"]
    assert finding.pictures == ("a.png", "b.png")


def test_exchanged_and_moved_masks(large: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(large, tmp_path / "x"))
    masks = {name: read_mask(folder / "masks" / f"{name}.png") for name in "abc"}
    write_mask(folder / "masks" / "a.png", masks["b"])
    write_mask(folder / "masks" / "b.png", masks["a"])
    write_mask(folder / "masks" / "c.png", np.roll(masks["c"], 5, axis=1))
    report = checked(folder)
    assert [(item.kind, item.pictures) for item in report.findings] == [
        ("looks-swapped", ("a.png", "b.png")),
        ("looks-shifted", ("c.png",)),
    ]
    assert report.findings[1].shift_px == pytest.approx((-5, 0), abs=1)
    assert "5 pixels to the left" in report.findings[1].sentence


def test_a_box_beside_its_object_is_a_box_and_no_more(large: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(large, tmp_path / "x"))
    image, mask = np.full((SIDE, SIDE, 3), 90, np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    image[16:48, 20:44], mask[16:48, 25:49] = 200, 1
    write_image(folder / "images" / "c.png", image)
    write_mask(folder / "masks" / "c.png", mask)
    assert [item.kind for item in checked(folder).findings] == ["box-mask"]


def few_stones(folder: Path) -> None:
    for name in NAMES[4:22]:
        mask = read_mask(folder / "masks" / name)
        write_mask(folder / "masks" / name, np.where(mask == 2, 0, mask).astype(np.uint8))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (few_stones, "split train: 4 pictures hold the class 'stone'; add some, to 20 or more"),
        (lambda folder: lists(folder, "train", *NAMES[:19]), "split train: holds 19 pictures; train on 20 or more"),
    ],
)
def test_too_few_to_train_on(large: Path, tmp_path: Path, spoil: Spoil, sentence: str) -> None:
    folder = Path(shutil.copytree(large, tmp_path / "x"))
    spoil(folder)
    assert [item.sentence for item in checked(folder).findings if item.kind == "few-pictures"] == [sentence]


def boxes(*corners: tuple[int, int, int, int]) -> ClassMap:
    mask = np.zeros((120, 160), np.uint8)
    for top, left, bottom, right in corners:
        mask[top:bottom, left:right] = 1
    return mask


@pytest.mark.parametrize(
    ("mask", "is_box"),
    [
        (boxes((10, 10, 60, 90)), True),
        (boxes((10, 10, 60, 90), (70, 100, 110, 150)), True),
        (boxes((10, 10, 60, 90), (30, 30, 100, 60)), False),
        (boxes((10, 10, 14, 14)), False),
        (boxes((0, 0, 120, 160)), False),
        (boxes(), False),
        (generate_picture(128, seed=0, number=0)[1], False),
    ],
)
def test_boxes(mask: ClassMap, is_box: bool) -> None:
    assert is_boxes(mask, {0}) is is_box


# Garbage ----------------------------------------------------------------------------------------


def test_all_problems_are_collected(folder: Path) -> None:
    (folder / "images" / "a.png").write_bytes(b"no image")
    (folder / "masks" / "a.png").write_bytes(b"no image")
    (folder / "images" / "b.png").unlink()
    stray_mask = np.full((SIDE, SIDE), 9, np.uint8)
    write_mask(folder / "masks" / "c.png", stray_mask)
    lists(folder, "test")
    assert len(checked(folder).errors) == 5


def no_folders(folder: Path) -> None:
    shutil.rmtree(folder / "images")
    (folder / "images").write_text("a file")
    shutil.rmtree(folder / "masks")


def name_without_meaning(folder: Path) -> None:
    for part in ("images", "masks"):
        Path(os.fsdecode(os.fsencode(folder / part) + b"/\xff\x1b[2J.png")).write_bytes(b"x")


@pytest.mark.parametrize(
    "spoil",
    [
        no_folders,
        name_without_meaning,
        lambda folder: os.mkfifo(folder / "images" / "pipe.png"),
        lambda folder: (folder / "images" / "a.png").unlink() or (folder / "images" / "a.png").symlink_to("a.png"),
        lambda folder: (folder / "splits" / "train.txt").write_bytes(bytes(range(256)) * 20),
        lambda folder: (folder / "splits" / "none.txt").symlink_to("nowhere"),
    ],
)
def test_garbage_in_the_folder_is_no_error(run, folder: Path, spoil: Spoil) -> None:
    spoil(folder)
    for words in ((), ("--json",), ("--html", folder.parent / "x.html"), ("--fix", folder.parent / "fixed")):
        result = run(folder, *words)
        assert result.exit_code in (0, 1)
        assert result.exception is None or isinstance(result.exception, SystemExit), words
        assert result.stderr == ""


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".webp", ".bmp", ".tif"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_become_findings(folder: Path, suffix: str, data: st.DataObject) -> None:
    with Image.new("L", (9, 7)) as image:
        image.save(folder / f"whole{suffix}")
    content = bytearray((folder / f"whole{suffix}").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    for part in ("images", "masks"):
        (folder / part / "a.png").write_bytes(content[:cut] if data.draw(st.booleans()) else content)
    checked(folder)


# The command ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app():
    return build_app("data")


@pytest.fixture
def run(app):
    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, ["data", "check", *map(str, words)])

    return invoke


def lines(result: Result) -> Iterable[str]:
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_the_command_on_a_good_data_set(run, large: Path) -> None:
    result = run(large)
    assert result.exit_code == 0
    assert lines(result)[-1] == f"{large}: no problem found"
    assert json.loads(run(large, "--json").stdout)["ok"] is True


def test_many_findings_of_a_kind_are_one_line_with_the_first(run, large: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(large, tmp_path / "x"))
    for name in NAMES[:5]:
        write_mask(folder / "masks" / name, np.zeros((SIDE, SIDE), np.uint8))
    result = run(folder)
    assert result.exit_code == 0
    assert "warning Masks of background alone: 5" in lines(result)
    assert [line for line in lines(result) if "background alone;" in line or line == "and 2 more"] == [
        *(f"masks/{name}: holds background alone; see whether that is meant" for name in NAMES[:3]),
        "and 2 more",
    ]
    content = json.loads(run(folder, "--json").stdout)
    assert [item["pictures"] for item in content["findings"] if item["kind"] == "empty-mask"] == [
        [name] for name in NAMES[:5]
    ]


def test_errors_make_it_fail(run, folder: Path) -> None:
    (folder / "masks" / "a.png").unlink()
    assert run(folder).exit_code == 1
    content = json.loads(run(folder, "--json").stdout)
    assert content["ok"] is False
    assert content["findings"][0] == {
        "kind": "absent-file",
        "severity": "error",
        "sentence": "masks/a.png: absent, though a split names 'a.png'; add it or drop the line",
        "pictures": ["a.png"],
    }


def test_the_page_shows_what_was_found(run, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "images" / "a.png", folder / "images" / "c.png")
    stray(folder, value=9)
    (folder / "images" / "b.png").write_bytes(b"<script>")
    assert run(folder, "--html", tmp_path / "page.html").exit_code == 1
    page = (tmp_path / "page.html").read_text()
    assert "Masks with unknown ids" in page
    assert page.count("data:image/jpeg") == 1 + 2
    assert not re.search(r"<script|https?://", page)


def test_the_page_shows_the_first_of_many_and_says_how_many_more(run, large: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(large, tmp_path / "x"))
    for name in NAMES[:15]:
        write_mask(folder / "masks" / name, np.zeros((SIDE, SIDE), np.uint8))
    run(folder, "--html", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/jpeg") == 12
    assert "and 3 more" in page
    assert "masks/o.png: holds background alone" in page


def test_a_page_needs_a_pages_suffix(run, folder: Path, tmp_path: Path) -> None:
    result = run(folder, "--html", tmp_path / "page.png")
    assert result.exit_code == 1
    assert result.stderr == f"edge-seg: {tmp_path}/page.png: its suffix '.png' is not that of a page; give .html\n"


# Real data --------------------------------------------------------------------------------------


@pytest.mark.shared
def test_real_pets(shared_dir: Path, tmp_path: Path) -> None:
    """A GIF and an RGBA PNG called .jpg, one of them with an empty trimap, as downloaded."""
    source = shared_dir / "data" / "pets"
    names = sorted(path.name for path in next(source.glob("im*")).iterdir())
    chosen = ["Abyssinian_34.jpg", "Abyssinian_5.jpg", *names[20:44]]
    assert names
    (tmp_path / "x").mkdir()
    with DatasetWriter(tmp_path / "x", name="x", classes=make_classes(["pet", "background", "border"])) as writer:
        for name in chosen:
            mask = next(path for path in source.rglob(f"{Path(name).stem}.png"))
            writer.add_file(next(source.rglob(name)), (read_mask(mask) - 1).astype(np.uint8))
        writer.use_splits({"train": chosen}, SplitPolicy())
    kinds = {(item.kind, item.pictures) for item in checked(tmp_path / "x").findings}
    assert ("mislabelled", ("Abyssinian_34.jpg",)) in kinds
    assert ("mislabelled", ("Abyssinian_5.jpg",)) in kinds
    assert ("empty-mask", ("Abyssinian_34.jpg",)) in kinds
    assert not {kind for kind, _ in kinds if kind.startswith("looks")}
