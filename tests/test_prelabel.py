"""`edge-seg data prelabel`: a model's answers as a VIA project to correct."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from device_fixtures import FakeEngine, spec
from edge_seg.classes import make_classes
from edge_seg.cli.app import build_app
from edge_seg.dataset import Dataset
from edge_seg.errors import ModelError
from edge_seg.images import read_image, read_mask, write_image
from edge_seg.outlines import class_iou
from edge_seg.prelabelling import prelabel, select_classes
from edge_seg.segmenter import Segmenter
from edge_seg.shipped import default_model
from edge_seg.sources.images import open_folder

SIDE = 96
COLOURS = {"sky": (255, 0, 0), "tree": (0, 255, 0), "road": (0, 0, 255)}


def segmenter(names: tuple[str, ...] = ("sky", "tree", "road"), side: int = SIDE) -> Segmenter:
    """A model whose scores are the colour channels, at the pictures' own size."""
    engine = FakeEngine([spec((1, side, side, 3))], [spec((1, side, side, 3), "float32")], lambda image: image)
    return Segmenter(engine, name="fake", labels=names)


def picture(*boxes: tuple[str, int, int, int, int]) -> np.ndarray:
    """Sky with boxes (colour, x, y, width, height)."""
    image = np.full((SIDE, SIDE, 3), COLOURS["sky"], np.uint8)
    for name, x, y, width, height in boxes:
        image[y : y + height, x : x + width] = COLOURS[name]
    return image


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    pond = ("tree", 10, 10, 60, 50), ("sky", 20, 20, 20, 20), ("road", 25, 25, 8, 8)
    write_image(tmp_path / "photos" / "a.png", picture(*pond, ("tree", 80, 80, 2, 2)))
    write_image(tmp_path / "photos" / "b.png", picture())
    return tmp_path / "photos"


def labelled(photos: Path, out: Path, *, names=("background", "tree", "road"), only=(), without=(), **options):
    model = segmenter(names)
    drawn = select_classes(model.classes, only=only, without=without)
    report = prelabel(model, open_folder(photos, None), photos, out, drawn=drawn, **options)
    document = json.loads(out.read_text())
    regions = {
        entry["filename"]: [
            (region["region_attributes"]["class"], len(region["shape_attributes"]["all_points_x"]))
            for region in entry["regions"]
        ]
        for entry in document["_via_img_metadata"].values()
    }
    return report, regions


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [("tree", 4), ("background", 4), ("road", 4)]),
        ({"least_share": 0}, [("tree", 4), ("background", 4), ("road", 4), ("tree", 4)]),
        ({"least_share": 0.01}, [("tree", 4), ("background", 4)]),
        ({"only": ["road"]}, [("road", 4)]),
        ({"only": ["tree", "road"], "without": ["road"]}, [("tree", 4), ("background", 4)]),
        ({"without": ["tree"]}, [("road", 4)]),
    ],
)
def test_what_is_drawn(photos: Path, tmp_path: Path, options: dict, expected: list) -> None:
    report, regions = labelled(photos, tmp_path / "via.json", **options)
    assert regions == {"a.png": expected, "b.png": []}
    assert (report.pictures, report.regions, report.points) == (2, len(expected), 4 * len(expected))
    assert report.empty == ("b.png",)


def test_without_a_background_all_classes_are_drawn(photos: Path, tmp_path: Path) -> None:
    _, regions = labelled(photos, tmp_path / "via.json", names=("sky", "tree", "road"))
    assert [name for name, _ in regions["a.png"]] == ["sky", "tree", "sky", "road"]
    assert regions["b.png"] == [("sky", 4)]


@pytest.mark.parametrize(
    ("side", "tolerance_px", "fewer_than"), [(96, 0.0, 300), (96, None, 90), (24, None, 30), (96, 4.0, 20)]
)
def test_outlines_are_as_fine_as_the_models_input(
    tmp_path: Path, side: int, tolerance_px: float | None, fewer_than: int
) -> None:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    image = np.where(np.hypot(rows - 48, columns - 48)[..., None] < 36, COLOURS["tree"], COLOURS["sky"])
    write_image(tmp_path / "photos" / "disc.png", image.astype(np.uint8))
    model = segmenter(("background", "tree", "road"), side)
    source = open_folder(tmp_path / "photos", None)
    report = prelabel(
        model, source, tmp_path / "photos", tmp_path / "v.json", drawn=model.classes[1:], tolerance_px=tolerance_px
    )
    assert 3 < report.points < fewer_than


@pytest.mark.parametrize(
    ("only", "without", "expected"),
    [
        ([], [], ["tree", "road"]),
        (["road"], [], ["road"]),
        (["background", "road"], [], ["road"]),
        ([], ["road"], ["tree"]),
        (["lake"], [], "no class 'lake'; its classes are background, tree, road"),
        ([], ["lake"], "no class 'lake'"),
        (["tree"], ["tree"], "no class is left"),
        (["background"], [], "no class is left"),
    ],
)
def test_the_choice_of_classes(only: list[str], without: list[str], expected: list[str] | str) -> None:
    classes = make_classes(["background", "tree", "road"])
    if isinstance(expected, str):
        with pytest.raises(ModelError, match=expected):
            select_classes(classes, only=only, without=without)
    else:
        assert [item.name for item in select_classes(classes, only=only, without=without)] == expected


# The command ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app():
    return build_app("data")


@pytest.fixture
def run(app):
    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, ["data", *map(str, words)])

    return invoke


def test_label_correct_import(run, photos: Path, tmp_path: Path) -> None:
    """With the shipped model, on pictures it has no idea of: whatever it sees comes back as drawn."""
    file = tmp_path / "labels" / "via.json"
    told = run("prelabel", photos, "--out", file, "--least-share", 0, "--tolerance", 0)
    assert told.exit_code == 0, told.output
    assert "2 pictures" in told.stdout
    assert json.loads(file.read_text())["_via_settings"]["core"]["default_filepath"] == "../photos/"
    words = ["--images", photos, "--classes", "pet,border", "--out", tmp_path / "data"]
    result = run("import", "via", file, *words)
    assert result.exit_code == 0, result.output
    model = Segmenter.load(default_model())
    seen = model.segment(read_image(photos / "a.png")).class_map
    names = {item.name: item.id for item in Dataset.open(tmp_path / "data").classes}
    expected = np.array([names[item.name] for item in model.classes], np.uint8)[seen]
    assert min(class_iou(expected, read_mask(tmp_path / "data" / "masks" / "a.png")).values()) == 1


def test_small_regions_are_left_out_by_option(run, photos: Path, tmp_path: Path) -> None:
    told = run("prelabel", photos, "--out", tmp_path / "via.json", "--least-share", 1, "--json")
    assert json.loads(told.stdout) == {"pictures": 2, "regions": 0, "points": 0, "empty": ["a.png", "b.png"]}


def test_bad_pictures_are_refused_or_skipped(run, photos: Path, tmp_path: Path) -> None:
    (photos / "c.png").write_bytes(b"no picture")
    failed = run("prelabel", photos, "--out", tmp_path / "via.json")
    assert (failed.exit_code, "c.png" in failed.stderr, failed.stderr.count("\n")) == (1, True, 1)
    assert not (tmp_path / "via.json").exists()
    skipped = run("prelabel", photos, "--out", tmp_path / "via.json", "--skip-bad", "--json")
    assert (skipped.exit_code, "skipped" in skipped.stderr) == (0, True)
    assert json.loads(skipped.stdout)["pictures"] == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere", "--out", "x.json"], "nowhere: is no folder"),
        ([".", "--out", "x.json"], "holds no image"),
        (["photos", "--out", "x.json", "--classes", "dog"], "has no class 'dog'; its classes are pet"),
        (["photos", "--out", "x.json", "--model", "no.tflite"], "no.tflite"),
        (["photos", "--out", "there.json"], "exists already"),
    ],
)
def test_refusals(run, photos: Path, tmp_path: Path, monkeypatch, words: list[str], sentence: str) -> None:
    assert photos.is_dir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.json").write_text("mine")
    result = run("prelabel", *words)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert sentence in result.stderr
    assert not (tmp_path / "x.json").exists()
    assert (tmp_path / "there.json").read_text() == "mine"
