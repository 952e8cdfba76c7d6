import socket
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device_fixtures import mjpeg_server, write_video
from edge_seg.errors import SourceError
from edge_seg.sources import SourceOptions, open_source


def write_picture(path: Path, colour: tuple[int, int, int] = (200, 10, 30)) -> Path:
    Image.new("RGB", (12, 8), colour).save(path)
    return path


def test_an_image_is_one_rgb_frame(tmp_path: Path) -> None:
    source = open_source(str(write_picture(tmp_path / "a.png")))
    (only,) = source
    assert (source.live, source.frame_count) == (False, 1)
    assert (only.name, only.index) == ("a.png", 0)
    assert only.image.shape == (8, 12, 3)
    assert only.image[0, 0].tolist() == [200, 10, 30]


def test_a_folder_is_read_in_the_order_of_names_and_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "c.jpg", ".hidden.png"):
        write_picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "folder.png").mkdir()
    assert [frame.name for frame in open_source(str(tmp_path))] == ["a.png", "b.png", "c.jpg"]


def test_a_bad_image_of_a_folder_raises_or_is_handed_over(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    write_picture(tmp_path / "c.png")
    with pytest.raises(SourceError, match=r"b\.png"):
        list(open_source(str(tmp_path)))
    bad: list[SourceError] = []
    names = [frame.name for frame in open_source(str(tmp_path), on_bad_image=bad.append)]
    assert names == ["a.png", "c.png"]
    assert [str(tmp_path / "b.png") in str(error) for error in bad] == [True]


def test_a_video_gives_every_frame_in_rgb_and_ends(tmp_path: Path) -> None:
    source = open_source(str(write_video(tmp_path / "clip.mp4", 12)))
    frames = list(source)
    source.close()
    assert (source.live, source.frame_count, source.fps) == (False, 12, pytest.approx(20))
    assert [frame.index for frame in frames] == list(range(12))
    assert frames[3].name == "clip_000003"
    red, green, blue = frames[0].image[30, 30].astype(int)
    assert red > 80 > max(green, blue) + 40


def test_a_truncated_video_is_told_from_its_end(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "clip.avi", 200)
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(SourceError, match=r"cut\.avi"):
        list(open_source(str(cut)))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder / "absent.jpg", "no such file"),
        (lambda folder: folder, "holds no image"),
        (lambda folder: _write(folder / "x.xyz"), "'.xyz'"),
        (lambda folder: _write(folder / "x.mp4"), "cannot be opened as a video"),
    ],
)
def test_what_is_no_source_is_one_sentence(tmp_path: Path, make, says) -> None:
    path = make(tmp_path)
    with pytest.raises(SourceError) as caught:
        open_source(str(path))
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(SourceError, match="'gopher://'"):
        open_source("gopher://host/stream")


@pytest.mark.parametrize("uri", ["97", "/dev/video97"])
def test_an_absent_camera_lists_the_present_ones(uri: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match=r"/dev/video97: no such camera; this machine has"):
        open_source(uri)
    assert capfd.readouterr().err == ""


def test_an_mjpeg_stream_is_live_and_its_end_is_an_error_without_retries() -> None:
    with mjpeg_server(10, interval_s=0.05) as url:
        source = open_source(url, SourceOptions(retries=0))
        assert source.live
        frames = []
        with pytest.raises(SourceError, match="the stream ended"):
            frames.extend(source)  # keeps what came before the error
        source.close()
    assert len(frames) >= 5
    assert frames[0].image.shape == (64, 96, 3)
    assert int(frames[0].image[30, 30, 0]) > 80


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_stream_that_never_answers_ends_in_a_sentence(scheme: str, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(SourceError, match=r"(did not answer within|no answer for|gives no video).*"):
            open_source(f"{scheme}://user:secret@127.0.0.1:{silent.getsockname()[1]}/stream")
    assert time.monotonic() - started < 3.5
    assert capfd.readouterr().err == ""


def test_a_stream_nobody_serves_ends_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SourceError, match="refused"):
        open_source(f"http://127.0.0.1:{port}/stream")


def _write(path: Path) -> Path:
    path.write_bytes(np.arange(200, dtype=np.uint8).tobytes())
    return path
