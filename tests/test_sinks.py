import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from device_fixtures import frame, half_red_half_blue, result, segmented
from edge_seg.classes import make_classes
from edge_seg.errors import SinkError
from edge_seg.images import read_mask
from edge_seg.result import Result
from edge_seg.sinks import PaintOnce, Sink, SinkOptions, open_sink, overlay_painter

CLASSES = make_classes(("red", "blue"))


def write(sink: Sink, count: int = 1, **kwargs) -> None:
    for index in range(count):
        item = frame(index, **kwargs)
        sink.write(result(item))
    sink.close()


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("overlays/", ["overlays/f_000000.jpg"]),
        ("anything", ["anything/f_000000.jpg"]),
        ("overlays:masks", ["masks/f_000000.jpg"]),
        ("masks", ["masks/f_000000.png"]),
        ("masks/", ["masks/f_000000.png"]),
        ("masks:deep/er", ["deep/er/f_000000.png"]),
        ("events.jsonl", ["events.jsonl"]),
        ("sub/out.mp4", ["sub/out.mp4"]),
        ("out.mkv", ["out.mkv"]),
    ],
)
def test_a_uri_names_what_is_written(tmp_path: Path, monkeypatch, uri: str, expected: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write(open_sink(uri, CLASSES))
    assert files(tmp_path) == expected


@pytest.mark.parametrize("uri", ["out.xyz", "gopher://x", "notes.txt"])
def test_an_unknown_output_is_refused_with_those_there_are(tmp_path: Path, monkeypatch, uri: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SinkError, match=r"events\.jsonl"):
        open_sink(uri, CLASSES)
    assert files(tmp_path) == []


def test_masks_hold_class_ids_and_colours(tmp_path: Path) -> None:
    write(open_sink(f"masks:{tmp_path}", CLASSES))
    assert (read_mask(tmp_path / "f_000000.png") == segmented(frame()).class_map).all()
    with Image.open(tmp_path / "f_000000.png") as image:
        assert image.mode == "P"
        assert tuple((image.getpalette() or [])[3:6]) == CLASSES[1].rgb


def test_overlays_show_the_class_colours(tmp_path: Path) -> None:
    options = SinkOptions(overlay_painter(CLASSES, opacity=1.0))
    write(open_sink(f"overlays:{tmp_path}", CLASSES, options))
    bgr = cv2.imread(str(tmp_path / "f_000000.jpg"))
    assert np.abs(bgr[10, 5, ::-1].astype(int) - CLASSES[0].rgb).max() < 12
    assert np.abs(bgr[10, -5, ::-1].astype(int) - CLASSES[1].rgb).max() < 12


def test_two_outputs_have_a_result_painted_once() -> None:
    painted: list[int] = []

    def draw(item: Result) -> np.ndarray:
        painted.append(item.frame.index)
        return item.frame.image.copy()

    paint, first, second = PaintOnce(draw), result(frame(0)), result(frame(1))
    pictures = [paint(item) for item in (first, first, second, second)]
    assert painted == [0, 1]
    assert pictures[0] is pictures[1]
    with pytest.raises(ValueError, match="read-only"):
        pictures[0][0, 0] = 0


def test_two_pictures_of_one_stem_do_not_overwrite_each_other(tmp_path: Path) -> None:
    sink = open_sink(f"masks:{tmp_path}", CLASSES)
    for name in ("a.jpg", "a.png"):
        item = frame(name=name)
        sink.write(result(item))
    assert files(tmp_path) == ["a.png", "a_png.png"]


def test_events_are_flat_json_lines(tmp_path: Path) -> None:
    write(open_sink(str(tmp_path / "e.jsonl"), CLASSES), 3)
    first, second, _ = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert list(first) == [
        *("time", "frame", "name", "width", "height", "preprocess_ms", "invoke_ms", "postprocess_ms"),
        *("share_red", "share_blue"),
    ]
    assert first["time"] == "2023-11-14T22:13:20.000+00:00"
    assert (second["frame"], second["width"], second["height"]) == (1, 48, 32)
    assert first["share_red"] + first["share_blue"] == pytest.approx(1)


def test_events_are_appended_and_seen_at_once(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_text('{"before": 1}\n')
    sink = open_sink(str(path), CLASSES)
    sink.write(result(frame()))
    assert len(path.read_text().splitlines()) == 2
    sink.close()


def frames_in(path: Path) -> tuple[int, float]:
    capture = cv2.VideoCapture(str(path))
    count, fps = 0, capture.get(cv2.CAP_PROP_FPS)
    while capture.read()[0]:
        count += 1
    capture.release()
    return count, fps


def test_a_video_of_a_file_has_its_frames_and_rate(tmp_path: Path) -> None:
    options = SinkOptions(overlay_painter(CLASSES), fps=12)
    write(open_sink(str(tmp_path / "o.mp4"), CLASSES, options), 7)
    assert frames_in(tmp_path / "o.mp4") == (7, pytest.approx(12))


def test_an_unfinished_video_has_not_its_name_yet(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "o.mp4"), CLASSES)
    sink.write(result(frame()))
    assert not (tmp_path / "o.mp4").exists()
    sink.close()
    sink.close()
    assert files(tmp_path) == ["o.mp4"]


def test_a_video_refuses_frames_of_another_size(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "o.mp4"), CLASSES)
    sink.write(result(frame()))
    other = frame(1, image=half_red_half_blue(40, 40))
    with pytest.raises(SinkError, match="40×40"):
        sink.write(result(other))
    sink.close()


@pytest.mark.parametrize("uri", ["masks:{}", "overlays:{}", "{}/e.jsonl", "{}/o.mp4"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(small_disk: Path, uri: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    (small_disk / "filler").write_bytes(bytes(60_000 if "jsonl" in uri or "masks" in uri else 20_000))
    sink = open_sink(uri.format(small_disk), CLASSES)

    def fill() -> None:
        try:
            for index in range(400):
                item = frame(index, image=noise)
                sink.write(result(item))
        finally:
            sink.close()

    with pytest.raises(SinkError, match="full"):
        fill()
    whole = [path for path in small_disk.rglob("*") if path.name != "filler"]
    assert not [path.name for path in whole if "part" in path.name]
    for path in whole:
        assert path.suffix != ".mp4"
        if path.suffix == ".jsonl":
            assert [json.loads(line)["frame"] for line in path.read_text().splitlines()]
        else:
            Image.open(path).load()


OUTPUTS = ["masks:{}/new/m", "overlays:{}/new/o", "{}/new/e.jsonl", "{}/new/o.mp4"]


@pytest.mark.parametrize("uri", OUTPUTS)
def test_an_output_that_was_given_no_frame_leaves_nothing(tmp_path: Path, uri: str) -> None:
    open_sink(uri.format(tmp_path), CLASSES).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", OUTPUTS)
def test_a_disk_that_is_full_from_the_first_frame_leaves_nothing(small_disk: Path, uri: str) -> None:
    (small_disk / "filler").write_bytes(bytes(16 * 4096))
    with pytest.raises(SinkError, match="the disk is full"):
        write(open_sink(uri.format(small_disk), CLASSES))
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_device_that_is_full_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "full.jsonl").symlink_to("/dev/full")
    sink = open_sink(str(tmp_path / "full.jsonl"), CLASSES)
    with pytest.raises(SinkError, match=r"full\.jsonl: the disk is full"):
        write(sink)
    sink.close()


@pytest.mark.parametrize("uri", ["masks:{}/x", "overlays:{}/x", "{}/e.jsonl", "{}/o.mp4"])
def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path, uri: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        open_sink(uri.format(tmp_path / "file"), CLASSES)


@pytest.mark.parametrize(("gui", "says"), [(False, "headless"), (True, "no screen")])
def test_a_window_without_gui_or_screen_is_one_sentence(monkeypatch: pytest.MonkeyPatch, gui: bool, says: str) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("edge_seg.sinks.window.has_gui", lambda: gui)
    with pytest.raises(SinkError, match=says):
        open_sink("window:", CLASSES)


@pytest.mark.parametrize(("age_ms", "cell"), [(0.0, ""), (12.34, "12.3")])
def test_rows_of_files_and_of_cameras_have_the_columns_of_the_head(tmp_path: Path, age_ms: float, cell: str) -> None:
    item = frame(0)
    sink = open_sink(str(tmp_path / "shares.csv"), segmented(item).classes)
    sink.write(result(item, age_ms=age_ms))
    sink.close()
    head, row = (line.split(",") for line in (tmp_path / "shares.csv").read_text().splitlines())
    assert len(row) == len(head)
    assert row[head.index("age_ms")] == cell
