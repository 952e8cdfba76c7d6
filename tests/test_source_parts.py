"""The pure parts of the live sources, in tables."""

import io

import numpy as np
import pytest
import typer
from rich.console import Console
from rich.live import Live

from device_fixtures import frame, result
from edge_seg.cli.live_status import live_line, status_line
from edge_seg.cli.source_options import pixel_format_of, retries_of, size_of
from edge_seg.errors import ImageError, SourceError
from edge_seg.sinks.events import event
from edge_seg.sources.addresses import check_address, stream_name, without_secrets
from edge_seg.sources.backlog import Backlog
from edge_seg.sources.frozen import FrozenCheck, Verdict
from edge_seg.sources.jpeg import decode_jpeg
from edge_seg.sources.multipart import MultipartReader
from edge_seg.sources.options import FOREVER, SourceOptions


def held(waits: list[float]) -> list[bool]:
    backlog, now_s, answers = Backlog(), 100.0, []
    for wait_s in waits:
        now_s += wait_s
        answers.append(backlog.holds(now_s))
    return answers


def test_frames_that_come_as_usual_are_new_however_unevenly() -> None:
    assert not any(held([0.04, 0.01, 0.09, 0.3, 0.001, 0.001, 0.04] * 30))


@pytest.mark.parametrize("interval_s", [0.04, 0.1, 1.0])
def test_after_a_pause_a_burst_is_old_and_what_had_to_be_waited_for_is_new(interval_s: float) -> None:
    usual, pause, burst = [interval_s] * 20, [4 * interval_s + 3], [interval_s / 20] * 30
    answers = held([*usual, *pause, *burst, *usual])
    assert not any(answers[:20])
    assert all(answers[20:52]), "the second that was waited for is new"
    assert not any(answers[52:])


def test_one_hiccup_in_the_middle_of_a_burst_does_not_end_it() -> None:
    burst = [0.002] * 10
    answers = held([*[0.05] * 20, 2.0, *burst, 0.05, *burst, *[0.05] * 5])
    assert all(answers[20:43])
    assert not any(answers[43:])


def test_a_camera_that_becomes_faster_is_not_taken_for_a_burst_for_ever() -> None:
    answers = held([*[0.2] * 20, 3.0, *[0.05] * 200])
    assert all(answers[20:100])
    assert not any(answers[125:])


def looks(pictures: list[int], check: FrozenCheck, start_s: float = 0.0, every_s: float = 1.0) -> list[Verdict]:
    return [
        check.look(np.full((16, 16, 3), picture, np.uint8), start_s + index * every_s)
        for index, picture in enumerate(pictures)
    ]


def test_a_picture_is_frozen_after_the_limit_and_any_change_starts_anew() -> None:
    verdicts = looks([1, 1, 1, 1, 2, 2, 2, 2, 2, 3], FrozenCheck(4))
    assert [index for index, verdict in enumerate(verdicts) if verdict is Verdict.FROZEN] == [8]


def test_a_scene_that_stays_still_is_opened_again_less_and_less_often() -> None:
    check = FrozenCheck(4)
    assert looks([1] * 5, check)[-1] is Verdict.FROZEN
    check.opened()
    verdicts = looks([1] * 20, check, 10)
    assert [verdict.name for verdict in verdicts if verdict is not Verdict.MOVING] == ["STILL"]
    assert verdicts[8] is Verdict.STILL  # the limit has doubled
    assert looks([2] * 8, check, 40) == [Verdict.MOVING] * 8
    assert looks([2], check, 48) == [Verdict.FROZEN]


def test_when_opening_again_has_helped_the_limit_is_as_before() -> None:
    check = FrozenCheck(4)
    looks([1] * 5, check)
    check.opened()
    assert looks([2] * 5, check, 10)[-1] is Verdict.FROZEN


def test_the_silence_of_a_lost_camera_is_no_standing_still() -> None:
    check = FrozenCheck(4)
    looks([1] * 2, check)
    check.opened()
    assert looks([1] * 3, check, 60) == [Verdict.MOVING] * 3


def bodies(stream: bytes, boundary: str | None, chunk: int = 7) -> list[bytes]:
    parts = iter([stream[start : start + chunk] for start in range(0, len(stream), chunk)])
    reader, found = MultipartReader(lambda: next(parts, b""), boundary), []
    try:
        while True:
            found.append(reader.next_body())
    except SourceError:
        return found


HEAD = b"Content-Type: image/jpeg\r\n"


@pytest.mark.parametrize(
    ("stream", "boundary"),
    [
        (b"--b\r\n" + HEAD + b"Content-Length: 5\r\n\r\nAA--A\r\n--b\r\n" + HEAD + b"content-length:2\r\n\r\nBB", "b"),
        (b"--b\r\n" + HEAD + b"\r\nAA--A\r\n--b\r\n" + HEAD + b"\r\nBB\r\n--b--", "b"),
        (b"--b\n" + HEAD + b"\nAA--A\n--b\n" + HEAD + b"\nBB\n--b\n", "b"),  # bare line ends
        (b"--b\r\n" + HEAD + b"\r\nAA--A\r\n--b\r\n" + HEAD + b"\r\nBB\r\n--b\r\n", "--b"),  # dashes declared, too
        (b"--b\r\n" + HEAD + b"\r\nAA--A\r\n--b\r\n" + HEAD + b"\r\nBB\r\n--b\r\n", None),  # nothing declared
        (b"\r\n\r\n".join([b"preamble\r\n--b\r\n" + HEAD + b"Content-Length: 5", b"AA--A\r\n--b", b""]), "b"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_bodies_of_a_multipart_stream(stream: bytes, boundary: str | None, chunk: int) -> None:
    assert bodies(stream, boundary, chunk)[:2] in ([b"AA--A", b"BB"], [b"AA--A"])


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (b"x" * 100_000, "no head"),
        (b"--b\r\nContent-Length: 999999999\r\n\r\n", "announces a picture of 999999999 bytes"),
        (b"\r\n\r\n", "no boundary"),
        (b"", "the stream ended"),
    ],
)
def test_what_is_no_multipart_stream_is_refused(stream: bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        MultipartReader(iter([stream, b""]).__next__, None).next_body()


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"", "nothing"), (b"GIF89a", "47 49 46 38"), (b"\xff\xd8\xff", "damaged header")],
)
def test_what_is_no_jpeg_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(ImageError, match=says):
        decode_jpeg(data)


@pytest.mark.parametrize(
    ("url", "shown", "name"),
    [
        ("rtsp://user:p%40ss@cam.local:8554/a/b", "rtsp://cam.local:8554/a/b", "cam_local_8554_a_b"),
        ("http://10.0.0.7/v.cgi?user=u&pwd=secret", "http://10.0.0.7/v.cgi?…", "10_0_0_7_v_cgi"),
        ("rtsp://u:p@ss@cam/x", "rtsp://cam/x", "cam_x"),
        ("rtsp://[fe80::1]:554/", "rtsp://[fe80::1]:554/", "fe80_1_554"),
    ],
)
def test_no_message_and_no_file_name_holds_a_password(url: str, shown: str, name: str) -> None:
    assert without_secrets(url) == shown
    assert stream_name(url) == name


@pytest.mark.parametrize(
    "url", ["http://u:se/cret@cam/", "rtsp://u:se#cret@cam/", "http://u:secret@[cam/", "http://a:1x"]
)
def test_an_address_that_cannot_be_told_is_not_shown(url: str) -> None:
    with pytest.raises(SourceError, match="is no address") as caught:
        check_address(url)
    assert "se" not in str(caught.value).partition("; write")[0]


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (size_of, "640x480", (640, 480)),
        (pixel_format_of, "mjpeg", "MJPG"),
        (pixel_format_of, "YUY2", "YUYV"),
        (retries_of, "3", 3),
        (retries_of, "forever", FOREVER),
    ],
)
def test_options_are_read(read, text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [(size_of, "640"), (size_of, "0x480"), (pixel_format_of, "MOTION"), (retries_of, "-1"), (retries_of, "often")],
)
def test_a_mistyped_option_is_told(read, text: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"'{text}' is no"):
        read(text)


@pytest.mark.parametrize(("retries", "at_start", "later"), [(None, 0, FOREVER), (0, 0, 0), (5, 5, 5)])
def test_left_out_retries_mean_none_at_the_start_and_no_end_later(
    retries: int | None, at_start: int, later: int
) -> None:
    options = SourceOptions(retries=retries)
    assert (options.retries_at_start, options.retries_later) == (at_start, later)


def test_the_age_is_on_the_terminal_and_in_the_events_of_live_sources_alone() -> None:
    live, file = result(frame(), age_ms=38.44), result(frame())
    assert "age   38 ms" in status_line(live)
    assert event(live)["age_ms"] == 38.4
    assert "age" not in status_line(file)
    assert "age_ms" not in event(file)


def test_the_live_line_stays_one_on_a_narrow_terminal() -> None:
    console = Console(width=40, file=io.StringIO(), force_terminal=True)
    with Live(live_line(result(frame(), fps=25.0, dropped=123, age_ms=12.0)), console=console):
        pass
    assert console.file.getvalue().count("\n") == 1  # type: ignore[attr-defined]
