"""`edge-seg data stats` and `preview` as a user types them."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edge_seg.classes import make_classes
from edge_seg.cli.app import build_app
from edge_seg.contact_sheet import contact_sheet, tile
from edge_seg.dataset import Dataset, DatasetWriter
from edge_seg.drawing import DEFAULT_OPACITY, draw_overlay
from edge_seg.images import read_image
from edge_seg.preview import figure


@pytest.fixture(scope="module")
def app():
    return build_app("data")


@pytest.fixture
def run(app):
    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, ["data", *map(str, words)])

    return invoke


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """Ten pictures, a leaf in the first two of them, each with two rows to ignore."""
    with DatasetWriter(tmp_path / "scenes", name="my <scenes>", classes=make_classes(["background", "leaf"])) as writer:
        for number in range(10):
            image = np.full((30, 40, 3), 20 * number, np.uint8)
            mask = np.zeros((30, 40), np.uint8)
            mask[:2] = 255
            mask[10:20, 10:30] = number < 2
            writer.add_array(f"s{number}.png", image, mask)
    return tmp_path / "scenes"


@pytest.mark.parametrize("command", ["stats", "preview"])
def test_help_has_an_example(run, command: str) -> None:
    assert f"edge-seg data {command} my-data" in " ".join(run(command, "--help").stdout.split())


def test_stats_on_the_terminal(run, scenes: Path) -> None:
    result = run("stats", scenes)
    assert result.exit_code == 0
    assert "my <scenes>: 10 pictures (train 8, val 2)" in result.stdout
    assert "40×30 (10)" in result.stdout
    assert re.search(r"leaf +train", result.stdout)
    assert "███" in result.stdout


def test_stats_as_json(run, scenes: Path, tmp_path: Path) -> None:
    content = json.loads(run("stats", scenes, "--json", "--out", tmp_path / "stats.png").stdout)
    assert content["whole"]["classes"]["leaf"]["pictures"] == 2
    assert len(content["area_edges"]) == 1 + len(content["whole"]["classes"]["leaf"]["area_histogram"])
    assert (tmp_path / "stats.png").is_file()


def test_stats_as_a_page(run, scenes: Path, tmp_path: Path) -> None:
    assert run("stats", scenes, "--out", tmp_path / "new" / "stats.html").exit_code == 0
    page = (tmp_path / "new" / "stats.html").read_text(encoding="utf-8")
    assert "<h1>my &lt;scenes&gt;</h1>" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_page_holds_every_picture_and_layer(run, scenes: Path, tmp_path: Path) -> None:
    result = run("preview", scenes, "--out", tmp_path / "page.html", "--names", "s0.png,s7.png,s1.png")
    assert (result.exit_code, "3 pictures drawn to" in result.stdout) == (0, True)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert re.findall(r'<img src="data:image/jpeg.*? alt="(.*?)"', page) == ["s0.png", "s7.png", "s1.png"]
    assert page.count('class="mask c1"') == 2
    assert page.count('class="mask c255"') == 3
    assert page.count('type="checkbox"') == 2


def test_layers_look_like_the_overlay(scenes: Path) -> None:
    dataset = Dataset.open(scenes)
    sample = next(item for split in ("train", "val") for item in dataset.samples(split) if item.name == "s1.png")
    shown = figure(dataset, sample, 40)
    blended = _decoded(shown.image).convert("RGB")
    stencil = _decoded(shown.layers[0].image).convert("RGBA")
    stencil.putalpha(stencil.getchannel("A").point(lambda alpha: round(alpha * DEFAULT_OPACITY)))
    blended.paste(stencil, mask=stencil)
    expected = draw_overlay(*dataset.read(sample), dataset.classes)
    assert np.abs(np.asarray(blended)[4:].astype(int) - expected[4:]).mean() < 2
    assert [(layer.name, layer.share) for layer in shown.layers] == [
        ("leaf", pytest.approx(200 / 1200)),
        ("ignored", pytest.approx(80 / 1200)),
    ]


def _decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1])))


def test_preview_of_one_class(run, scenes: Path, tmp_path: Path) -> None:
    names: set[str] = set()
    for split in ("train", "val"):
        result = run("preview", scenes, "--out", tmp_path / "x.html", "--class", "leaf", "--split", split)
        if result.exit_code == 0:
            names |= set(re.findall(r'alt="(s\d\.png)"', (tmp_path / "x.html").read_text(encoding="utf-8")))
        else:
            assert "none of the" in result.stderr
    assert names == {"s0.png", "s1.png"}


def test_the_same_seed_draws_the_same_sheet(run, scenes: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run("preview", scenes, "--count", 3, "--seed", seed, "--out", tmp_path / f"{name}.png")
    first, again, other = (read_image(tmp_path / f"{name}.png") for name in "abc")
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["stats", "{}", "--out", "x.jpg"], "x.jpg: its suffix '.jpg' is none that can be written; give .png or .html"),
        (["stats", "gone"], "gone: no such folder"),
        (["preview", "{}", "--out", "x.pdf"], "x.pdf: its suffix '.pdf' is none that can be written"),
        (["preview", "{}", "--out", "x"], "x: its suffix '' is none that can be written"),
        (["preview", "{}", "--out", "x.png", "--class", "tree"], "'tree' is no class; this data set has background, l"),
        (["preview", "{}", "--out", "x.png", "--names", "s0.png,q.png"], "'q.png' is in no split"),
        (["preview", "{}", "--out", "x.html", "--split", "test"], "scenes/splits/test.txt: no such split"),
    ],
)
def test_errors_are_one_line(run, scenes: Path, monkeypatch, words: list[str], sentence: str) -> None:
    monkeypatch.chdir(scenes.parent)
    result = run(*(word.format("scenes") for word in words))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"edge-seg: {sentence}")
    assert result.stderr.count("\n") == 1
    assert [path.name for path in scenes.parent.iterdir()] == ["scenes"]


def test_names_and_class_exclude_each_other(run, scenes: Path) -> None:
    assert run("preview", scenes, "--out", "x.png", "--names", "s0.png", "--class", "leaf").exit_code == 2


@pytest.mark.parametrize("shape", [(2000, 300), (300, 2000), (50, 60)])
def test_a_tile_is_as_large_as_the_sheet_shows_it(shape: tuple[int, int]) -> None:
    picture = np.zeros((*shape, 3), np.uint8)
    small = tile(picture, 100)
    assert small.shape[0] == min(shape[0], 160)
    assert small.shape[1] / small.shape[0] == pytest.approx(shape[1] / shape[0], rel=0.02)
    assert np.allclose(contact_sheet([small], 1, 100).shape, contact_sheet([picture], 1, 100).shape, atol=1)


@pytest.mark.shared
def test_real_pictures(run, shared_dir: Path, tmp_path: Path) -> None:
    """Two pictures whose suffix lies (a GIF, an RGBA PNG) among the others."""
    images, masks = (shared_dir / "data" / "pets" / part for part in ("images", "masks"))
    imported = run("import", "masks", images, masks, "--map", "1=pet,2=background,3=border", "--out", tmp_path / "pets")
    assert imported.exit_code == 0, imported.output
    content = json.loads(run("stats", tmp_path / "pets", "--json", "--out", tmp_path / "pets.html").stdout)
    assert content["pictures"]["formats"] == {"JPEG": 623, "GIF": 1, "PNG": 1}
    assert content["whole"]["classes"]["pet"]["pixel_share"] == pytest.approx(0.267, abs=0.001)
    assert run("preview", tmp_path / "pets", "--out", tmp_path / "pets-preview.html", "--count", 40).exit_code == 0
