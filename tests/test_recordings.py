"""Videos and lines over the months: time, rotation, names."""

import csv
import gc
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from edge_seg.errors import SinkError
from edge_seg.sinks import Rotation, Sink, SinkOptions, open_sink
from edge_seg.sinks.events import columns
from edge_seg.sinks.fragmented_mp4 import TIMESCALE, Sample, mp4_fragment, mp4_header
from edge_seg.sinks.matroska import mkv_cluster, mkv_header
from edge_seg.sinks.mpeg4_encoder import Mpeg4Encoder
from sink_fixtures import CLASSES, level, levels, live, plain, seen, video_frames

VIDEOS = ["mp4", "mkv"]


def write(sink: Sink, indices: range, **kwargs) -> None:
    for index in indices:
        sink.write(seen(index, **kwargs))
    sink.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", VIDEOS)
def test_a_live_video_has_every_frame_at_its_time_however_many_were_dropped(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"o.{suffix}"
    times = [0.0, 0.1, 0.2, 0.9, 1.0, 4.5, 4.6, 4.7]
    sink = open_sink(str(path), CLASSES, live())
    for index, at_s in enumerate(times):
        sink.write(seen(index, at_s))
    sink.close()
    found = list(video_frames(path))
    assert [at_s for at_s, _ in found] == pytest.approx(times, abs=0.002)
    assert [float(image.mean()) for _, image in found] == pytest.approx([level(i) for i in range(8)], abs=4)


@pytest.mark.parametrize("suffix", VIDEOS)
@pytest.mark.parametrize("kept_share", [0.999, 0.8, 0.5])
def test_a_video_that_ends_anywhere_is_played_up_to_there(tmp_path: Path, suffix: str, kept_share: float) -> None:
    path = tmp_path / f"o.{suffix}"
    write(open_sink(str(path), CLASSES, live()), range(100))
    data = path.read_bytes()
    path.write_bytes(data[: round(kept_share * len(data))])
    found = levels(path)
    assert len(found) >= round(kept_share * 100) - 20
    assert found[:-1] == pytest.approx([level(index) for index in range(len(found) - 1)], abs=4)


@pytest.mark.parametrize("suffix", VIDEOS)
def test_what_is_a_second_old_can_be_read_while_the_video_goes_on(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"o.{suffix}"
    sink = open_sink(str(path), CLASSES, live())
    for index in range(35):
        sink.write(seen(index))
    assert len(levels(path)) == 30
    sink.close()
    assert len(levels(path)) == 35


@pytest.mark.parametrize("suffix", VIDEOS)
def test_a_video_of_a_file_has_its_rate(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"o.{suffix}"
    write(open_sink(str(path), CLASSES, SinkOptions(plain, fps=12)), range(30))
    assert [at_s for at_s, _ in video_frames(path)] == pytest.approx([index / 12 for index in range(30)], abs=0.001)


def test_an_odd_size_loses_its_last_row_and_column(tmp_path: Path) -> None:
    write(open_sink(str(tmp_path / "o.mp4"), CLASSES, live()), range(3), size=(49, 65))
    assert [image.shape for _, image in video_frames(tmp_path / "o.mp4")] == [(48, 64, 3)] * 3


def test_frames_larger_than_the_pipe_to_the_encoder_holds_are_encoded(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1440, 2560, 3), np.uint8)
    encoder = Mpeg4Encoder(2560, 1440, 25)
    packets = [encoder.encode(noise) for _ in range(2)]
    encoder.close()
    assert len(packets[0].data) > 1 << 20
    assert [packet.is_key for packet in packets] == [True, False]


def test_a_size_that_cannot_be_encoded_is_one_sentence(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "o.mp4"), CLASSES, live())
    with pytest.raises(SinkError, match=r"o\.mp4: OpenCV cannot encode a video of 1×48"):
        sink.write(seen(0, size=(48, 1)))
    sink.close()
    assert names(tmp_path) == []


def test_encoders_and_their_pipes_are_closed(tmp_path: Path) -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    sink = open_sink(str(tmp_path / "o.mp4"), CLASSES, live(Rotation(every_s=0.15)))
    sink.write(seen(0))
    before = opened()
    for index in range(1, 60):
        sink.write(seen(index))
    assert opened() == before
    sink.close()
    assert len(names(tmp_path)) == 30


def test_a_new_file_begins_after_a_time(tmp_path: Path) -> None:
    write(open_sink(str(tmp_path / "o.mp4"), CLASSES, live(Rotation(every_s=2))), range(50))
    assert names(tmp_path) == ["o.mp4", "o_20251125T110502Z.mp4", "o_20251125T110504Z.mp4"]
    found = [levels(tmp_path / name) for name in names(tmp_path)]
    assert [len(item) for item in found] == [20, 20, 10]
    assert [value for item in found for value in item] == pytest.approx([level(i) for i in range(50)], abs=4)


def test_a_new_file_begins_at_a_size(tmp_path: Path) -> None:
    write(open_sink(str(tmp_path / "e.jsonl"), CLASSES, live(Rotation(size_bytes=1000))), range(40))
    files = sorted(tmp_path.iterdir())
    sizes = [path.stat().st_size for path in files]
    assert len(files) == 8
    assert all(1000 <= size < 1300 for size in sizes[:-1])
    assert [json.loads(line)["frame"] for path in files for line in path.read_text().splitlines()] == list(range(40))


def test_frames_of_another_size_begin_a_new_file_of_a_live_video(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "o.mp4"), CLASSES, live())
    for index in range(9):
        sink.write(seen(index, size=(48, 64) if index < 4 else (64, 96)))
    sink.close()
    assert names(tmp_path) == ["o.mp4", "o_20251125T110500Z.mp4"]
    assert [len(levels(tmp_path / name)) for name in names(tmp_path)] == [4, 5]


@pytest.mark.parametrize("uri", ["o.mp4", "coco.json", "via.json"])
def test_a_camera_overwrites_nothing(tmp_path: Path, uri: str) -> None:
    (tmp_path / uri).write_text("a user's")
    for _ in range(2):
        write(open_sink(str(tmp_path / uri), CLASSES, live()), range(3))
    assert (tmp_path / uri).read_text() == "a user's"
    stem, suffix = uri.split(".")
    made = [name for name in names(tmp_path) if name.endswith(suffix)]
    assert made == [uri, f"{stem}_20251125T110500Z.{suffix}", f"{stem}_20251125T110500Z_2.{suffix}"]


@pytest.mark.parametrize("folder", ["masks", "overlays"])
def test_frames_of_a_camera_are_named_after_their_time_in_a_folder_for_each_hour(tmp_path: Path, folder: str) -> None:
    for _ in range(2):  # the camera counts from 0 again
        write(open_sink(f"{folder}:{tmp_path}", CLASSES, live()), range(2), at_s=3601.25)
    suffix = "png" if folder == "masks" else "jpg"
    assert names(tmp_path / "2025-11-25" / "12") == [
        f"camera0_20251125T120501.250Z.{suffix}",
        f"camera0_20251125T120501.250Z_1.{suffix}",
    ]


def test_a_watched_picture_keeps_its_name(tmp_path: Path) -> None:
    write(open_sink(f"masks:{tmp_path}", CLASSES, live()), range(1), name="IMG_000001.jpg")
    assert names(tmp_path) == ["IMG_000001.png"]


def test_csv_is_csv_with_the_columns_of_the_json_lines(tmp_path: Path) -> None:
    options = live()
    for uri in ("s.csv", "e.jsonl"):
        write(open_sink(str(tmp_path / uri), CLASSES, options), range(3), name='a, "b"_000001')
    write(open_sink(str(tmp_path / "s.csv"), CLASSES, options), range(3, 5))
    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [row["frame"] for row in rows] == list("01234")
    assert tuple(rows[0]) == columns(CLASSES)
    assert rows[0] == {"age_ms": "", **{key: str(value) for key, value in events[0].items()}}
    assert rows[0]["time"] == "2025-11-25T11:05:00.000+00:00"


def test_csv_of_other_columns_is_not_appended_to(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SinkError, match="other columns"):
        open_sink(str(tmp_path / "s.csv"), CLASSES)
    assert (tmp_path / "s.csv").read_text() == "a,b\n1,2\n"


@pytest.mark.parametrize(
    ("name", "tail", "kept"),
    [
        ("e.jsonl", '{"a": 1', ""),
        ("e.jsonl", '{"a": 1}', '{"a": 1}\n'),
        ("s.csv", "2025,1,cam", ""),
        ("s.csv", "2025,1,cam,64,48,,1,2,3,0.1,0.2,0.7", "2025,1,cam,64,48,,1,2,3,0.1,0.2,0.7\n"),
    ],
)
def test_a_torn_last_line_is_mended(tmp_path: Path, name: str, tail: str, kept: str) -> None:
    path = tmp_path / name
    write(open_sink(str(path), CLASSES), range(2))
    whole = path.read_text()
    path.write_text(whole + tail)
    write(open_sink(str(path), CLASSES), range(2, 3))
    text = path.read_text()
    assert text.startswith(whole + kept)
    assert len(text.splitlines()) == len((whole + kept).splitlines()) + 1


def test_the_containers_are_what_they_are_called(tmp_path: Path) -> None:
    assert mp4_header(64, 48, b"config", 0.0)[4:8] == b"ftyp"
    assert mkv_header(64, 48, b"config", 0.0)[:4].hex() == "1a45dfa3"
    samples = [Sample(b"abc", TIMESCALE // 10, True), Sample(b"de", TIMESCALE // 10, False)]
    fragment = mp4_fragment(1, 0, samples)
    offset = int.from_bytes(fragment[fragment.index(b"trun") + 12 :][:4], "big")
    assert fragment[offset:] == b"abcde"
    assert b"\x81\x00\x00\x80abc" in mkv_cluster(1, 0, samples)
    assert b"\x81\x00\x64\x00de" in mkv_cluster(1, 0, samples)


@pytest.mark.parametrize("uri", ["o.mp4", "e.jsonl", "s.csv", "coco.json", "via.json", "overlays/", "masks/"])
def test_memory_does_not_grow_with_the_frames(tmp_path: Path, uri: str) -> None:
    sink = open_sink(f"{tmp_path}/{uri}", CLASSES, live(Rotation(every_s=15)))

    def grown_kb(frames: range) -> float:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for index in frames:
            sink.write(seen(index))
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / 1000

    tracemalloc.start()
    try:
        grown_kb(range(601))
        # What other threads of this process take meanwhile is in some of the windows, a leak in all.
        assert min(grown_kb(range(start, start + 300)) for start in (601, 901, 1201)) < 25
    finally:
        tracemalloc.stop()
        sink.close()
