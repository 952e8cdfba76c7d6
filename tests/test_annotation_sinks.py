"""COCO and VIA outputs, read back with other people's and with our own readers."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_seg.dataset import Dataset
from edge_seg.errors import MissingExtraError, SinkError
from edge_seg.images import read_image, write_image
from edge_seg.outlines import class_iou
from edge_seg.sinks import Rotation, Sink, SinkOptions, open_sink
from edge_seg.sinks.journal import finish
from sink_fixtures import CLASSES, level, live, plain, seen, shapes

KINDS = ["coco", "via"]


def write(path: Path, count: int, options: SinkOptions | None = None, **kwargs) -> None:
    sink = open_sink(str(path), CLASSES, options or live())
    for index in range(count):
        sink.write(seen(index, **kwargs))
    sink.close()


def written_until_full(sink: Sink) -> int:
    for count in range(1000):
        try:
            sink.write(seen(count))
        except SinkError as error:
            assert "the disk is full" in str(error)  # noqa: PT017 the count is wanted, too
            return count
    raise AssertionError("the disk never was full")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_coco_read_by_pycocotools_gives_the_class_maps(tmp_path: Path, capsys) -> None:
    from pycocotools.coco import COCO

    write(tmp_path / "coco.json", 12)
    coco = COCO(tmp_path / "coco.json")
    capsys.readouterr()
    assert [item["name"] for item in coco.loadCats(coco.getCatIds())] == ["fire", "smoke"]
    for index, image in enumerate(coco.loadImgs(sorted(coco.getImgIds()))):
        found = np.zeros((48, 64), np.uint8)
        for item in coco.loadAnns(coco.getAnnIds(image["id"])):
            mask = coco.annToMask(item)
            assert mask.sum() == item["area"]
            found[mask == 1] = item["category_id"]
        assert (found == shapes(index)).all()
        picture = read_image(tmp_path / "coco_frames" / image["file_name"])
        assert float(picture.mean()) == pytest.approx(level(index), abs=2)


@pytest.mark.parametrize("kind", KINDS)
def test_the_importer_reads_pictures_and_class_maps_back(tmp_path: Path, kind: str) -> None:
    write(tmp_path / f"{kind}.json", 12)
    command = ["data", "import", kind, str(tmp_path / f"{kind}.json"), "--out", str(tmp_path / "d")]
    if kind == "coco":
        command += ["--images", str(tmp_path / "coco_frames")]
    program = [sys.executable, "-c", "from edge_seg.cli import main; main()"]
    done = subprocess.run([*program, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    dataset = Dataset.open(tmp_path / "d")
    ids = {item.name: item.id for item in dataset.classes}
    to_ours = np.zeros(256, np.uint8)
    for item in CLASSES:
        to_ours[ids[item.name]] = item.id
    samples = sorted([*dataset.samples("train"), *dataset.samples("val")], key=lambda sample: sample.name)
    assert len(samples) == 12
    for index, sample in enumerate(samples):
        _, class_map = dataset.read(sample)
        assert min(class_iou(shapes(index), to_ours[class_map]).values()) >= 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_annotations_of_a_folder_refer_to_its_pictures(tmp_path: Path, kind: str) -> None:
    write_image(tmp_path / "photos" / "a.png", np.zeros((48, 64, 3), np.uint8))
    write(tmp_path / f"{kind}.json", 1, SinkOptions(plain, pictures=tmp_path / "photos"), name="a.png")
    text = (tmp_path / f"{kind}.json").read_text()
    assert '"a.png"' in text
    assert kind == "coco" or json.loads(text)["_via_settings"]["core"]["default_filepath"] == "photos/"
    assert names(tmp_path) == sorted([f"{kind}.json", "photos"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_made_whole_when_the_next_one_begins(tmp_path: Path, kind: str) -> None:
    write(tmp_path / f"{kind}.json", 25, live(Rotation(every_s=1)))
    files = sorted(tmp_path.glob("*.json"))
    assert [file.name for file in files] == [
        f"{kind}.json",
        f"{kind}_20251125T110501Z.json",
        f"{kind}_20251125T110502Z.json",
    ]
    counts = []
    for file in files:
        held = json.loads(file.read_text())
        counts.append(len(held["images"] if kind == "coco" else held["_via_img_metadata"]))
        assert len(names(tmp_path / f"{file.stem}_frames")) == counts[-1]
    assert counts == [10, 10, 5]


@pytest.mark.parametrize("kind", KINDS)
def test_a_journal_left_behind_is_finished_up_to_its_last_whole_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"{kind}.json"
    sink = open_sink(str(path), CLASSES, live())
    for index in range(5):
        sink.write(seen(index))
    journal = tmp_path / f"{kind}.json.journal"
    held = journal.read_bytes()
    sink.close()
    path.unlink()
    journal.write_bytes(held + b'{"picture": {"file_na')
    (tmp_path / f".{kind}.77.part.json").write_text("half")
    open_sink(str(path), CLASSES, live()).close()
    found = json.loads(path.read_text())
    assert len(found["images"] if kind == "coco" else found["_via_img_metadata"]) == 5
    assert names(tmp_path) == [f"{kind}.json", f"{kind}_frames"]


def test_a_journal_that_another_run_writes_is_left_alone(tmp_path: Path) -> None:
    first = open_sink(str(tmp_path / "via.json"), CLASSES, live())
    first.write(seen(0))
    second = open_sink(str(tmp_path / "via.json"), CLASSES, live())
    second.write(seen(1))
    for sink in (first, second):
        sink.close()
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["via.json", "via_20251125T110500Z.json"]


def test_a_journal_of_nothing_vanishes(tmp_path: Path) -> None:
    (tmp_path / "via.json.journal").write_bytes(b'{"format": "vi')
    finish(tmp_path / "via.json.journal")
    assert names(tmp_path) == []


def test_without_rotation_an_existing_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "via.json").write_text("corrected by hand")
    with pytest.raises(SinkError, match="exists already"):
        open_sink(str(tmp_path / "via.json"), CLASSES, SinkOptions(plain))
    assert names(tmp_path) == ["via.json"]


def test_coco_without_pycocotools_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_seg.extras.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"edge-seg\[data\]"):
        open_sink(str(tmp_path / "coco.json"), CLASSES)
    open_sink(str(tmp_path / "via.json"), CLASSES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_keeps_what_was_seen(small_disk: Path, tmp_path: Path, kind: str) -> None:
    sink = open_sink(str(small_disk / f"{kind}.json"), CLASSES, live())
    count = written_until_full(sink)
    with pytest.raises(SinkError, match="the disk is full"):
        sink.close()
    assert f"{kind}.json.journal" in names(small_disk)
    for frame in list((small_disk / f"{kind}_frames").iterdir())[:8]:
        frame.unlink()
    open_sink(str(small_disk / f"{kind}.json"), CLASSES, live()).close()
    found = json.loads((small_disk / f"{kind}.json").read_text())
    assert len(found["images"] if kind == "coco" else found["_via_img_metadata"]) == count
