"""Learning from the field: which frames are kept, how, and that what is kept imports as it was predicted."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from device_fixtures import FakeEngine, frame, red_or_blue, red_or_blue_segmenter, spec
from edge_seg.cli.collect_options import collecting_sinks
from edge_seg.collecting import CollectLimits, CollectSink
from edge_seg.collecting.diversity import KeptFrames, Look, same_answer
from edge_seg.collecting.project import GrowingProject
from edge_seg.collecting.restoring import thumbnail_map
from edge_seg.collecting.selection import Pace, RunningShare
from edge_seg.dataset import Dataset
from edge_seg.durations import parse_duration
from edge_seg.errors import EdgeSegError, SinkError
from edge_seg.exporters import Labels
from edge_seg.images import read_image
from edge_seg.model_slot import ModelSlot
from edge_seg.outlines import class_iou
from edge_seg.result import Result
from edge_seg.segmenter import Segmenter
from edge_seg.shipped import default_model
from edge_seg.sources.images import ImageFiles

PROGRAM = [sys.executable, "-c", "from edge_seg.cli import main; main()"]


def edge_seg(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


# Which frames ----------------------------------------------------------------------------------------


def test_the_highest_twentieth_stands_out_once_there_is_something_to_compare() -> None:
    random, rule = np.random.default_rng(0), RunningShare(0.05)
    told = [rule.add(float(value)) for value in random.random(4000)]
    assert not any(told[:19])
    assert np.mean(told) == pytest.approx(0.05, abs=0.015)


def test_what_is_unusual_follows_what_is_usual() -> None:
    rule = RunningShare(0.05)
    assert not any(rule.add(0.5) for _ in range(100))
    assert rule.add(0.6)
    assert not rule.add(0.1)
    assert [rule.add(0.7) for _ in range(4000)].count(True) < 0.06 * 4000


def test_nothing_at_the_floor_stands_out() -> None:
    rule = RunningShare(0.05, floor=0.01)
    assert not any(rule.add(value) for value in [0.0] * 30 + [0.01])
    assert rule.add(0.02)


def test_the_pace_by_a_clock_of_its_own() -> None:
    pace = Pace(60.0)
    looks = [now / 10 for now in range(100) if pace.may_look(now / 10)]
    assert looks == [float(second) for second in range(10)]
    assert pace.may_keep(0.0)
    pace.kept(0.0)
    assert [now for now in (1.0, 59.9, 60.0) if pace.may_keep(now)] == [60.0]
    pace.kept_before(60.0)
    assert [now for now in (65.9, 66.0) if pace.may_keep(now)] == [66.0]


def test_one_frame_is_told_from_another_by_scene_and_by_answer() -> None:
    kept, here = KeptFrames(0), scene(1)
    kept.add(Look.of(here, object_at(20)))
    assert kept.has_like(Look.of(here, object_at(20)))
    assert kept.has_like(Look.of(noisy(here), object_at(21)))
    assert kept.has_like(Look.of(np.roll(here, 16, axis=1), object_at(36))), "the camera moved, and all with it"
    assert not kept.has_like(Look.of(here, object_at(60))), "the object is elsewhere"
    assert not kept.has_like(Look.of(here, np.zeros((96, 128), np.uint8))), "the object is gone"
    assert not kept.has_like(Look.of(scene(2), object_at(20))), "another place"


def test_two_pictures_of_the_dark_are_one() -> None:
    kept, dark, nothing = KeptFrames(0), np.full((96, 128, 3), 3, np.uint8), np.zeros((96, 128), np.uint8)
    kept.add(Look.of(noisy(dark), nothing))
    assert kept.has_like(Look.of(noisy(dark, seed=5), nothing))


@pytest.mark.parametrize(
    ("changed", "same"), [(0, True), (20, True), (2304 // 100, True), (2304 // 100 + 1, False), (500, False)]
)
def test_answers_are_the_same_up_to_a_hundredth_of_the_picture(changed: int, same: bool) -> None:
    first = np.zeros((48, 48), np.uint8)
    second = first.copy()
    second.ravel()[:changed] = 1
    assert same_answer(first, second, background_id=0) is same


# How they are kept -----------------------------------------------------------------------------------


def scene(seed: int, height: int = 96, width: int = 128) -> np.ndarray:
    """A picture with plenty to recognise."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def noisy(image: np.ndarray, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 2, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def object_at(x: int) -> np.ndarray:
    class_map = np.zeros((96, 128), np.uint8)
    class_map[30:60, x : x + 30] = 1
    return class_map


def seen(seed: int, lead: int, at_s: float, segmenter: Segmenter | None = None) -> Result:
    """A place of which the model is the surer the larger `lead` is: red is ahead of blue by that many levels."""
    image = scene(seed)
    image[..., 0], image[..., 2] = 100 + lead, 100
    item = replace(frame(image=image), captured_monotonic_s=at_s, captured_at=1_700_000_000 + at_s)
    return Result(item, (segmenter or red_or_blue_segmenter()).segment(image))


def collector(folder: Path, segmenter: Segmenter | None = None, **limits: float) -> CollectSink:
    bounds = CollectLimits(**limits)  # type: ignore[arg-type]
    return CollectSink(folder, segmenter or red_or_blue_segmenter(), lambda item: item.captured_monotonic_s, bounds)


def grow_used(sink: CollectSink, seconds: int = 30) -> None:
    """Show it places it is sure of, to know what is usual."""
    for second in range(-seconds, 0):
        sink.write(seen(0, 20, second))


def kept_files(folder: Path) -> list[str]:
    project = json.loads((folder / "via.json").read_text()) if (folder / "via.json").exists() else None
    pictures = sorted(path.name for path in folder.glob("*.jpg"))
    if project is not None:
        assert sorted(item["filename"] for item in project["_via_img_metadata"].values()) == pictures
        assert project["_via_image_id_list"] == list(project["_via_img_metadata"])
    return pictures


def test_only_unsure_frames_are_kept_not_too_often_and_none_twice(tmp_path: Path) -> None:
    folder = tmp_path / "field"
    sink = collector(folder)
    grow_used(sink)
    assert not folder.exists(), "sure of all"
    sink.write(seen(1, 1, 0.0))
    assert kept_files(folder) == ["2023-11-14T22-13-20.000.jpg"]
    sink.write(seen(2, 1, 30.0))
    assert len(kept_files(folder)) == 1, "too soon"
    sink.write(seen(1, 1, 61.0))
    assert len(kept_files(folder)) == 1, "kept before"
    sink.write(seen(2, 1, 70.0))
    assert len(kept_files(folder)) == 2
    sink.close()


def test_the_picture_is_the_frame_and_the_project_says_why(tmp_path: Path) -> None:
    sink = collector(tmp_path)
    grow_used(sink)
    result = seen(1, 1, 0.25)
    sink.write(result)
    (name,) = kept_files(tmp_path)
    apart = np.abs(read_image(tmp_path / name).astype(int) - result.frame.image)
    assert apart.mean() < 2
    (entry,) = json.loads((tmp_path / "via.json").read_text())["_via_img_metadata"].values()
    assert entry["size"] == (tmp_path / name).stat().st_size
    assert entry["file_attributes"] == {
        "captured": "2023-11-14T22:13:20.250+00:00",
        "why": "unsure: margin 0.46",  # tanh(1/2)
    }
    assert [region["region_attributes"]["class"] for region in entry["regions"]] == ["red"]


def test_flicker_of_a_still_picture_is_a_reason(tmp_path: Path) -> None:
    sink = collector(tmp_path)
    grow_used(sink)
    still = seen(0, 20, 0.0)
    other = still.segmentation.class_map.copy()
    other[:, 40:90] = 1
    values = np.zeros((8, 8, 2), np.float32)
    values[..., 0] = 20
    values[:, 3:6] = (0, 20)
    assert still.segmentation.scores is not None
    scores = replace(still.segmentation.scores, values=values)
    sink.write(replace(still, segmentation=replace(still.segmentation, class_map=other, scores=scores)))
    (entry,) = json.loads((tmp_path / "via.json").read_text())["_via_img_metadata"].values()
    assert entry["file_attributes"]["why"] == "flicker: 37.5% of a still picture"


def test_another_model_of_another_size_is_no_flicker(tmp_path: Path) -> None:
    sink, other = collector(tmp_path), Segmenter(red_or_blue(16), name="other", labels=("red", "blue"))
    grow_used(sink)
    sink.write(seen(0, 20, 0.0, other))
    sink.write(seen(1, 1, 1.0, other))
    assert len(kept_files(tmp_path)) == 1


def test_a_full_folder_takes_no_more_and_says_so_once(tmp_path: Path) -> None:
    said: list[str] = []
    sink = CollectSink(
        tmp_path, red_or_blue_segmenter(), lambda item: item.captured_monotonic_s,
        CollectLimits(60.0, most_frames=2), on_full=said.append,
    )  # fmt: skip
    grow_used(sink)
    for number in range(1, 7):
        sink.write(seen(number, 1, 61.0 * number))
    assert len(kept_files(tmp_path)) == 2
    (sentence,) = said
    assert "--collect-most" in sentence
    shutil.move(tmp_path / "via.json", tmp_path / "corrected.json")
    for path in tmp_path.glob("*.jpg"):
        path.unlink()
    sink.write(seen(20, 1, 1000.0))
    assert len(kept_files(tmp_path)) == 1, "goes on once the folder was emptied"


def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    sink = collector(tmp_path, most_bytes=1)
    grow_used(sink)
    for number in (1, 2):
        sink.write(seen(number, 1, 61.0 * number))
    assert len(kept_files(tmp_path)) == 1


def test_a_restart_goes_on_and_knows_what_was_kept(tmp_path: Path) -> None:
    for start_s in (0.0, 1000.0):
        sink = collector(tmp_path)
        grow_used(sink)
        sink.write(seen(1, 1, start_s))
        sink.close()
    assert len(kept_files(tmp_path)) == 1
    sink.write(seen(2, 1, 2000.0))
    assert len(kept_files(tmp_path)) == 2


def test_corrections_put_back_while_the_camera_runs_are_kept(tmp_path: Path) -> None:
    sink = collector(tmp_path)
    grow_used(sink)
    sink.write(seen(1, 1, 0.0))
    project = json.loads((tmp_path / "via.json").read_text())
    (key,) = project["_via_img_metadata"]
    project["_via_img_metadata"][key]["regions"] = []
    project["_via_settings"]["ui"]["image"]["region_color"] = "mine"
    (tmp_path / "via.json").write_text(json.dumps(project))
    sink.write(seen(2, 1, 70.0))
    grown = json.loads((tmp_path / "via.json").read_text())
    assert len(grown["_via_img_metadata"]) == 2
    assert grown["_via_img_metadata"][key]["regions"] == []
    assert grown["_via_settings"]["ui"]["image"]["region_color"] == "mine"


@pytest.mark.parametrize("text", ["{", "[]", '{"_via_img_metadata": []}', '{"x.jpg1": {"filename": "x.jpg"}}'])
def test_a_file_that_is_no_project_is_refused_before_anything_is_seen(tmp_path: Path, text: str) -> None:
    (tmp_path / "via.json").write_text(text)
    with pytest.raises(SinkError, match=r"via\.json: is no project of VIA 2"):
        collector(tmp_path)
    assert (tmp_path / "via.json").read_text() == text


def test_class_ids_cannot_be_unsure(tmp_path: Path) -> None:
    ids = FakeEngine([spec((1, 8, 8, 3))], [spec((1, 8, 8, 1), "uint8")], lambda image: image[..., 0] // 255)
    with pytest.raises(SinkError, match="edge-seg convert"):
        collector(tmp_path, Segmenter(ids, name="ids", labels=("a", "b")))


def test_a_disk_that_refuses_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    sink = collector(tmp_path)
    grow_used(sink)
    in_the_way = tmp_path / f".via.{os.getpid()}.part.json"  # the name that the project is written under first
    in_the_way.mkdir()
    with pytest.raises(SinkError, match=r"via\.json"):
        sink.write(seen(1, 1, 0.0))
    in_the_way.rmdir()
    assert not list(tmp_path.iterdir())
    sink.write(seen(1, 0, 1.0))
    assert len(kept_files(tmp_path)) == 1, "it comes back when the disk does"


def test_a_camera_outlives_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photographs = ImageFiles("photographs", [])
    limits = {"every_s": 60.0, "most_frames": 9, "most_megabytes": 9}
    (sink,) = collecting_sinks(tmp_path, ModelSlot(red_or_blue_segmenter()), photographs, **limits)
    (tmp_path / f".via.{os.getpid()}.part.json").mkdir()
    for second in range(30):
        sink.write(seen(0, 20, second))
    sink.write(seen(1, 1, 30.0))
    sink.close()
    assert "via.json" in capsys.readouterr().err


def test_a_probability_model_collects_too(tmp_path: Path) -> None:
    engine = red_or_blue()
    probability = FakeEngine(
        engine.inputs, [spec((1, 8, 8, 1), "int8", 1 / 256, -128)], lambda image: image[..., :1].astype(int) - 128
    )
    segmenter = Segmenter(probability, labels=("background", "red"))
    sink = collector(tmp_path, segmenter)
    for second in range(-30, 0):
        sink.write(seen(0, 150, second, segmenter))  # 250/256
    sink.write(seen(1, 50, 0.0, segmenter))  # 150/256
    (entry,) = json.loads((tmp_path / "via.json").read_text())["_via_img_metadata"].values()
    assert entry["file_attributes"]["why"] == "unsure: margin 0.17"
    assert [region["region_attributes"]["class"] for region in entry["regions"]] == ["red"]


def test_polygons_are_painted_small_whatever_else_the_project_holds() -> None:
    labels = Labels.of(Segmenter.load(default_model()).classes)
    square = {"name": "polygon", "all_points_x": [0, 63, 63, 0], "all_points_y": [0, 0, 95, 95]}
    regions = [
        {"shape_attributes": square, "region_attributes": {"class": "pet"}},
        {"shape_attributes": {"name": "circle", "cx": 1, "cy": 1, "r": 9}, "region_attributes": {"class": "pet"}},
        {"shape_attributes": square, "region_attributes": {"class": "unheard of"}},
        {},
    ]
    painted = thumbnail_map({"regions": regions}, (96, 128), labels)
    assert np.all(painted[:, :23] == 0)
    assert np.all(painted[:, 25:] == 1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60),
        ("0.5s", 0.5),
        ("500ms", 0.5),
        ("10m", 600),
        ("1h", 3600),
        ("2d", 172800),
        ("7", 7),
        ("1.5h", 5400),
        (" 1 H ", 3600),
    ],
)
def test_spans_of_time(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "0s", "-1s", "1w", "soon", "1 week", "nan", "1e9"])
def test_what_is_no_span_of_time_is_refused(text: str) -> None:
    with pytest.raises(EdgeSegError, match="60s"):
        parse_duration(text)


# From the camera to the data set ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve places, two seconds of each at 10 frames a second, with noise."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (192, 128))
    for place in range(12):
        image = scene(place, 128, 192)
        cv2.ellipse(image, (60 + 6 * place, 64), (40, 30), 20, 0, 360, (90, 120, 160), cv2.FILLED)
        for number in range(20):
            writer.write(noisy(image, number))
    writer.release()
    return path


def test_camera_collect_import_check_and_the_masks_are_the_predictions(tmp_path: Path, clip: Path) -> None:
    field, data = tmp_path / "field", tmp_path / "data"
    done = edge_seg("camera", "--source", clip, "--no-window", "--collect", field, "--collect-every", "2s")
    assert done.returncode == 0, done.stderr
    names = kept_files(field)
    assert 2 <= len(names) <= 12
    done = edge_seg("data", "import", "via", field / "via.json", "--out", data)
    assert done.returncode == 0, done.stderr
    done = edge_seg("data", "check", data)
    assert done.returncode == 0, done.stdout
    segmenter, dataset = Segmenter.load(default_model()), Dataset.open(data)
    ids = {item.name: item.id for item in dataset.classes}
    of_model = np.array([ids.get(item.name, 0) for item in segmenter.classes], np.uint8)
    for sample in (*dataset.samples("train"), *dataset.samples("val")):
        image, mask = dataset.read(sample)
        predicted = of_model[segmenter.segment(image).class_map]  # of the JPEG: what it lost is in the tolerance
        assert min(class_iou(predicted, mask).values()) > 0.6
        assert np.mean(predicted == mask) > 0.93


def test_camera_smooths_and_says_what_is_wrong_with_a_time(tmp_path: Path, clip: Path) -> None:
    done = edge_seg("camera", "--source", clip, "--no-window", "--smooth", "0.5s", "--out", tmp_path / "e.jsonl")
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "e.jsonl").read_text().splitlines()) == 240
    done = edge_seg("camera", "--source", clip, "--smooth", "fast")
    assert done.returncode == 2
    assert "500ms" in done.stderr


ENDLESS = """
import sys
from pathlib import Path
from test_collecting import collector, grow_used, seen
sink = collector(Path(sys.argv[1]), most_frames=5000)
grow_used(sink)
print("ready", flush=True)
for number in range(1, 100_000):
    sink.write(seen(number, 1, 61.0 * number))
"""


@pytest.mark.timeout(90)
def test_kill_9_leaves_a_valid_project_and_a_restart_goes_on(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    counts = [0]
    for delay_s in (0.15, 0.31, 0.23):
        process = subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(tmp_path)], env=environment, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        project = json.loads((tmp_path / "via.json").read_text())
        listed = [item["filename"] for item in project["_via_img_metadata"].values()]
        assert all(read_image(tmp_path / name).shape == (96, 128, 3) for name in listed)
        counts.append(len(listed))
    assert counts[1] > 0
    assert counts == sorted(counts)
    collector(tmp_path)._restored()
    assert not list(tmp_path.glob(".*.part*"))


def test_the_project_file_can_be_read_at_any_moment(tmp_path: Path) -> None:
    project = GrowingProject(tmp_path / "via.json", Labels.of(red_or_blue_segmenter().classes))
    assert project.pictures() == []
    assert not (tmp_path / "via.json").exists()
