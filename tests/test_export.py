"""`edge-seg data export`: what other tools get, and that nothing of it is lost on the way back."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as run_lengths
from pycocotools.coco import COCO
from typer.testing import CliRunner, Result

from edge_seg.classes import IGNORE_ID, make_classes
from edge_seg.cli.app import build_app
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy
from edge_seg.errors import DatasetError
from edge_seg.exporters import Labels, Picture, coco_file, export_coco, export_masks, export_via, instances, via_project
from edge_seg.images import read_mask, write_mask
from edge_seg.outlines import Pen, class_iou, trace

HEIGHT, WIDTH = 60, 80


def scene(number: int) -> np.ndarray:
    """A pond with an island, a region next to it, ignored pixels, and a speck that differs by picture."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5:50, 5:50] = 1
    mask[15:30, 15:35] = 0
    mask[20:25, 20:25] = 2
    cv2.ellipse(mask, (62, 25), (13, 17), 0, 0, 360, 2, cv2.FILLED)
    mask[50:, 60:] = IGNORE_ID
    mask[55, 2 * number : 2 * number + 2] = 1
    return mask


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    with DatasetWriter(
        tmp_path / "ponds",
        name="ponds",
        classes=make_classes(["background", "water", "reed bed"]),
        licence="CC0-1.0",
        split=SplitPolicy(val=0.3),
    ) as writer:
        for number in range(6):
            writer.add_array(f"été {number}.png", np.full((HEIGHT, WIDTH, 3), 40 * number, np.uint8), scene(number))
    return Dataset.open(tmp_path / "ponds")


@pytest.fixture(scope="module")
def app():
    return build_app("data")


@pytest.fixture
def run(app):
    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, ["data", *map(str, words)])

    return invoke


def masks_of(dataset: Dataset) -> dict[str, np.ndarray]:
    return {path.name: read_mask(path) for path in sorted((dataset.folder / "masks").iterdir())}


def samples_of(dataset: Dataset):
    return [*dataset.samples("train"), *dataset.samples("val")]


def with_classes(dataset: Dataset, names: list[str], folder: Path) -> Dataset:
    """The same pictures and masks under other class names."""
    with DatasetWriter(folder, name="renamed", classes=make_classes(names)) as writer:
        for sample in samples_of(dataset):
            writer.add_file(sample.image_path, dataset.read_mask(sample))
    return Dataset.open(folder)


# The way back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "least"), [([], 0.99), (["--least-iou", "1"], 1.0), (["--tolerance", "0"], 1.0)])
def test_via_comes_back(run, dataset: Dataset, tmp_path: Path, words: list[str], least: float) -> None:
    file = tmp_path / "via.json"
    assert run("export", "via", dataset.folder, "--out", file, *words).exit_code == 0
    back = ["--images", dataset.folder / "images", "--out", tmp_path / "back", "--classes", "water,reed bed"]
    result = run("import", "via", file, *back)
    assert result.exit_code == 0, result.output
    returned = masks_of(Dataset.open(tmp_path / "back"))
    for name, mask in masks_of(dataset).items():
        assert min(class_iou(mask, returned[name]).values()) >= least


def test_coco_comes_back_exactly(run, dataset: Dataset, tmp_path: Path) -> None:
    assert run("export", "coco", dataset.folder, "--out", tmp_path / "coco.json").exit_code == 0
    back = ["--images", dataset.folder / "images", "--out", tmp_path / "back", "--classes", "water,reed bed"]
    result = run("import", "coco", tmp_path / "coco.json", *back)
    assert result.exit_code == 0, result.output
    returned = masks_of(Dataset.open(tmp_path / "back"))
    assert all(np.array_equal(mask, returned[name]) for name, mask in masks_of(dataset).items())


def test_coco_is_exact_to_pycocotools(dataset: Dataset, tmp_path: Path, capsys) -> None:
    report = export_coco(dataset, samples_of(dataset), tmp_path / "coco.json")
    coco = COCO(str(tmp_path / "coco.json"))
    capsys.readouterr()
    assert (report.pictures, report.annotations) == (6, len(coco.anns))
    ids = {"water": 1, "reed bed": 2, "ignore": IGNORE_ID}
    for number, image in coco.imgs.items():
        mask = np.zeros((image["height"], image["width"]), np.uint8)
        for annotation in coco.imgToAnns[number]:
            mask[coco.annToMask(annotation) == 1] = ids[coco.cats[annotation["category_id"]]["name"]]
        assert np.array_equal(mask, masks_of(dataset)[Path(image["file_name"]).name])


def test_masks_are_a_plain_pair(run, dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "new" / "plain"
    result = run("export", "masks", dataset.folder, "--out", out)
    assert result.exit_code == 0, result.output
    assert (out / "classes.txt").read_text() == "background\nwater\nreed bed\n"
    for sample in samples_of(dataset):
        assert (out / "images" / sample.name).read_bytes() == sample.image_path.read_bytes()
        assert np.array_equal(read_mask(out / "masks" / sample.mask_path.name), dataset.read_mask(sample))
    values = "0=background,1=water,2=reed bed,255=ignore"
    back = run("import", "masks", out / "images", out / "masks", "--map", values, "--out", tmp_path / "back")
    assert back.exit_code == 0, back.output


def test_another_ignore_id_becomes_the_usual_one(dataset: Dataset, tmp_path: Path) -> None:
    manifest = dataset.manifest.model_copy(update={"ignore_id": 9})
    for path in (dataset.folder / "masks").iterdir():
        mask = read_mask(path)
        mask[mask == IGNORE_ID] = 9
        write_mask(path, mask)
    other = Dataset(dataset.folder, manifest)
    export_masks(other, samples_of(other), tmp_path / "plain")
    assert np.array_equal(read_mask(tmp_path / "plain" / "masks" / "été 3.png"), scene(3))
    export_via(other, samples_of(other), tmp_path / "via.json", Pen())
    assert '"class":"ignore"' in (tmp_path / "via.json").read_text()


# What the files say -----------------------------------------------------------------------------------


def via_document(dataset: Dataset, file: Path) -> dict:
    export_via(dataset, samples_of(dataset), file, Pen())
    return json.loads(file.read_text(encoding="utf-8"))


def test_a_via_project_is_whole(dataset: Dataset, tmp_path: Path) -> None:
    document = via_document(dataset, tmp_path / "deep" / "ponds-via.json")
    entries = document["_via_img_metadata"]
    assert document["_via_image_id_list"] == list(entries)
    assert len(entries) == 6
    assert document["_via_data_format_version"] == "2.0.10"
    for key, entry in entries.items():
        size = (dataset.folder / "images" / entry["filename"]).stat().st_size
        assert (key, entry["size"], entry["file_attributes"]) == (f"{entry['filename']}{size}", size, {})
    options = document["_via_attributes"]["region"]["class"]["options"]
    assert list(options) == ["water", "reed bed", "background", "ignore"]
    settings = document["_via_settings"]
    assert settings["ui"]["image"]["region_color"] == settings["ui"]["image"]["region_label"] == "class"
    assert settings["core"]["default_filepath"] == "../ponds/images/"
    assert settings["project"]["name"] == "ponds-via"


def test_holes_are_background_regions_over_what_they_cut(dataset: Dataset, tmp_path: Path) -> None:
    document = via_document(dataset, tmp_path / "via.json")
    entry = next(item for item in document["_via_img_metadata"].values() if item["filename"] == "été 0.png")
    names = [region["region_attributes"]["class"] for region in entry["regions"]]
    assert names.index("water") < names.index("background") < len(names) - 1 - names[::-1].index("reed bed")
    assert sorted(names) == ["background", "ignore", "reed bed", "reed bed", "water", "water"]


def test_coco_says_what_it_holds(dataset: Dataset, tmp_path: Path) -> None:
    export_coco(dataset, samples_of(dataset), tmp_path / "coco.json")
    document = json.loads((tmp_path / "coco.json").read_text(encoding="utf-8"))
    assert document["info"]["description"] == "ponds"
    assert document["licenses"] == [{"id": 1, "name": "CC0-1.0", "url": ""}]
    names = {item["id"]: item["name"] for item in document["categories"]}
    assert names == {1: "water", 2: "reed bed", 3: "ignore"}
    assert [item["id"] for item in document["annotations"]] == list(range(1, len(document["annotations"]) + 1))
    for item in document["annotations"]:
        assert item["area"] == run_lengths.area(item["segmentation"])
        assert item["bbox"] == run_lengths.toBbox(item["segmentation"]).tolist()
        assert item["iscrowd"] == 0


def test_ignore_is_a_category_only_where_it_occurs(tmp_path: Path) -> None:
    labels = Labels.of(make_classes(["background", "a"]))
    with coco_file(tmp_path / "coco.json", labels, name="x") as coco:
        coco.add(Picture("x.png", 4, 4, 1), instances(np.eye(4, dtype=np.uint8), labels.canvas_id))
    document = json.loads((tmp_path / "coco.json").read_text())
    assert [item["name"] for item in document["categories"]] == ["a"]
    assert len(document["annotations"]) == 1  # the diagonal is one region to eight neighbours


@pytest.mark.parametrize(
    ("names", "canvas", "drawn"),
    [
        (["background", "a", "b"], "background", ("a", "b")),
        (["pet", "Background", "border"], "Background", ("pet", "border")),
        (["sky", "road"], "background", ("sky", "road")),
    ],
)
def test_the_canvas_is_the_background_or_nothing(names: list[str], canvas: str, drawn: tuple[str, ...]) -> None:
    labels = Labels.of(make_classes(names))
    assert (labels.canvas, labels.drawn) == (canvas, drawn)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [(["ignore", "a"], "the class 'ignore'"), ([f"c{i}" for i in range(255)], "255 classes of which none is")],
)
def test_classes_that_cannot_be_exported(names: list[str], sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        Labels.of(make_classes(names))


@pytest.mark.parametrize("names", [["pet", "background", "border"], ["sky", "road", "car"]])
def test_a_background_that_is_not_first_and_none_at_all(run, dataset: Dataset, tmp_path: Path, names) -> None:
    renamed = with_classes(dataset, names, tmp_path / "renamed")
    told = run("export", "via", renamed.folder, "--out", tmp_path / "via.json", "--least-iou", 1)
    classes = ",".join(name for name in names if name != "background")
    assert f"--classes {classes}" in told.stdout
    words = ["--images", renamed.folder / "images", "--classes", classes, "--out", tmp_path / "back"]
    result = run("import", "via", tmp_path / "via.json", *words)
    assert result.exit_code == 0, result.output
    back = Dataset.open(tmp_path / "back")
    new_id = {item.name: item.id for item in back.classes}
    ids = np.arange(256)
    ids[: len(names)] = [new_id[name] for name in names]
    for name, mask in masks_of(renamed).items():
        assert np.array_equal(ids[mask], masks_of(back)[name])


@pytest.mark.parametrize("kind", ["via", "coco", "masks"])
def test_help_has_an_example(run, kind: str) -> None:
    result = run("export", kind, "--help")
    assert result.exit_code == 0
    assert f"edge-seg data export {kind}" in " ".join(result.stdout.split())


# Options, reports and refusals --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["via", "coco", "masks"])
def test_one_split_and_json(run, dataset: Dataset, tmp_path: Path, kind: str) -> None:
    result = run("export", kind, dataset.folder, "--out", tmp_path / "out", "--split", "val", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["pictures"] == 2


def test_pictures_come_by_name_from_all_splits(run, dataset: Dataset, tmp_path: Path) -> None:
    assert run("export", "coco", dataset.folder, "--out", tmp_path / "coco.json").exit_code == 0
    images = json.loads((tmp_path / "coco.json").read_text(encoding="utf-8"))["images"]
    assert [image["file_name"] for image in images] == [f"été {number}.png" for number in range(6)]


@pytest.mark.parametrize("kind", ["via", "coco", "masks"])
def test_nothing_is_overwritten(run, dataset: Dataset, tmp_path: Path, kind: str) -> None:
    (tmp_path / "out").write_text("mine")
    result = run("export", kind, dataset.folder, "--out", tmp_path / "out")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "exists already" in result.stderr
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("kind", ["via", "coco", "masks"])
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda mask: mask.write_bytes(b""), "not an image"),
        (lambda mask: shutil.copy(mask.parents[2] / "small.png", mask), "the mask is 4×4"),
        (lambda mask: shutil.copy(mask.parents[2] / "stray.png", mask), "holds the id 7"),
    ],
)
def test_a_bad_mask_leaves_nothing_behind(run, dataset: Dataset, tmp_path: Path, *, kind: str, spoil, sentence) -> None:
    write_mask(tmp_path / "small.png", np.zeros((4, 4), np.uint8))
    write_mask(tmp_path / "stray.png", np.full((HEIGHT, WIDTH), 7, np.uint8))
    spoil(dataset.folder / "masks" / "été 4.png")
    before = sorted(tmp_path.rglob("*"))
    result = run("export", kind, dataset.folder, "--out", tmp_path / "new" / "out")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert sentence in result.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_report_names_the_worst_picture(run, dataset: Dataset, tmp_path: Path) -> None:
    told = run("export", "via", dataset.folder, "--out", tmp_path / "a.json", "--tolerance", 4).stdout
    assert "6 pictures" in told
    assert "the worst is été" in told
    assert "--classes 'water,reed bed' --out FOLDER" in told
    exact = run("export", "via", dataset.folder, "--out", tmp_path / "b.json", "--least-iou", 1).stdout
    assert "IoU with the masks 1.0000 in the mean\n" in exact


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a\udce9.png"
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match="is not Unicode text; rename the file"):
        Picture.of(path, np.zeros((2, 2), np.uint8))


def test_pictures_are_written_as_they_are_added(tmp_path: Path) -> None:
    """Memory does not grow with the regions: they are on the disk before the next picture comes."""
    labels = Labels.of(make_classes(["background", "a"]))
    noise = np.random.default_rng(0).integers(0, 2, (120, 120)).astype(np.uint8)
    with via_project(tmp_path / "via.json", tmp_path, labels) as project:
        for number in range(3):
            project.add(Picture(f"{number}.png", 120, 120, 1), trace(noise, labels.canvas_id))
        (part,) = tmp_path.glob(".via*")
        assert part.stat().st_size > 200_000
        assert not (tmp_path / "via.json").exists()
    assert len(json.loads((tmp_path / "via.json").read_text())["_via_img_metadata"]) == 3


# Real files -------------------------------------------------------------------------------------------


@pytest.mark.shared
def test_a_project_has_the_shape_of_a_real_one(shared_dir: Path, dataset: Dataset, tmp_path: Path) -> None:
    real_file = "via2_wood_debris_polyline_missing_images/train/via-region-data-july-24_v3.json"
    real = json.loads((shared_dir / "data" / "annotation_formats" / real_file).read_text())
    ours = via_document(dataset, tmp_path / "via.json")
    assert set(real) <= set(ours)
    assert _keys(real["_via_settings"]) == _keys(ours["_via_settings"])
    theirs, own = (next(iter(item["_via_attributes"]["region"].values())) for item in (real, ours))
    assert set(theirs) == set(own)
    first, second = (next(iter(item["_via_img_metadata"].values())) for item in (real, ours))
    assert set(first) == set(second)
    assert _keys(first["regions"][0], depth=2) - {"class_name"} == _keys(second["regions"][0], depth=2) - {"class"}


def _keys(value: object, depth: int = 3) -> set[str]:
    if not isinstance(value, dict) or depth == 0:
        return set()
    return set(value).union(*(_keys(item, depth - 1) for item in value.values()))


@pytest.mark.shared
def test_real_bottles_come_back(shared_dir: Path, run, tmp_path: Path) -> None:
    bottles = shared_dir / "data" / "bottles_via"
    first = run("import", "via", bottles / "via_region_data.json", "--out", tmp_path / "first")
    assert first.exit_code == 0, first.output
    words = ["--images", tmp_path / "first" / "images", "--out", tmp_path / "second"]
    assert run("export", "via", tmp_path / "first", "--out", tmp_path / "via.json").exit_code == 0
    second = run("import", "via", tmp_path / "via.json", *words)
    assert second.exit_code == 0, second.output
    returned = masks_of(Dataset.open(tmp_path / "second"))
    for name, mask in masks_of(Dataset.open(tmp_path / "first")).items():
        assert min(class_iou(mask, returned[name]).values()) >= 0.99
