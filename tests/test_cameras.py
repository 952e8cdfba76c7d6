"""V4L2 cameras on a faked sysfs and a faked capture, and CSI cameras on a faked picamera2."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_seg.errors import ImageError, SourceError
from edge_seg.sources import SourceOptions
from edge_seg.sources.picamera import PiCamera, load_picamera2
from edge_seg.sources.v4l2 import V4l2Camera
from edge_seg.sources.v4l2_devices import VideoDevice, find_device, query, video_devices

WEBCAM, OTHER = "HD Pro Webcam C920", "USB Camera: USB Camera"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two webcams of two devices each, the metadata device after the camera, and links by their ids."""
    (tmp_path / "dev/v4l/by-id").mkdir(parents=True)
    for number, name in enumerate((WEBCAM, WEBCAM, OTHER, OTHER)):
        (tmp_path / f"dev/video{number}").touch()
        entry = tmp_path / f"sys/class/video4linux/video{number}"
        entry.mkdir(parents=True)
        (entry / "name").write_text(f"{name}\n")
    (tmp_path / "dev/video10").touch()  # no entry in sysfs
    (tmp_path / "dev/v4l/by-id/usb-046d_C920-video-index0").symlink_to("../../video0")
    return tmp_path


def ask(path: Path) -> tuple[str, bool]:
    return {
        "video1": ("uvcvideo", False),
        "video3": ("uvcvideo", False),
        "video10": ("unicam", True),
    }.get(path.name, ("uvcvideo", True))


def test_devices_are_listed_in_numeric_order_with_their_names(root: Path) -> None:
    devices = video_devices(root, ask)
    assert [device.path.name for device in devices] == ["video0", "video1", "video2", "video3", "video10"]
    assert [device.name for device in devices] == [WEBCAM, WEBCAM, OTHER, OTHER, "video10"]
    assert [device.captures for device in devices] == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("{root}/dev/video2", "video2"),
        ("{root}/dev/v4l/by-id/usb-046d_C920-video-index0", "video0"),
        (WEBCAM, "video0"),
        ("c920", "video0"),
        ("usb camera", "video2"),
    ],
)
def test_a_camera_is_found_by_path_link_and_name(root: Path, wanted: str, found: str) -> None:
    assert find_device(wanted.format(root=root), video_devices(root, ask)).path.name == found


def test_a_camera_is_found_by_number() -> None:
    devices = [VideoDevice(Path("/dev/video97"), WEBCAM)]
    assert find_device("97", devices) is devices[0]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("96", r"^/dev/video96: no such camera; this machine has .*/dev/video0 \(HD Pro Webcam C920\)"),
        ("{root}/dev/video1", r"video1: a device of 'HD Pro Webcam C920' that gives no pictures; give .*/dev/video0$"),
        ("{root}/dev/video10", r"Raspberry Pi CSI camera \(driver unicam\).*edge-seg camera --source picamera:0"),
        ("Brio", r"^Brio: no camera of that name; this machine has"),
        ("cam", r"^cam: several cameras have that in their name"),
    ],
)
def test_what_is_no_camera_is_told_apart(root: Path, wanted: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        find_device(wanted.format(root=root), video_devices(root, ask))


def test_a_machine_without_cameras_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no camera at /dev/video\*: plug one in"):
        find_device("0", video_devices(tmp_path, ask))


def test_what_is_no_v4l2_device_has_no_answer(tmp_path: Path) -> None:
    (tmp_path / "video0").write_text("no device")
    assert query(tmp_path / "video0") is None
    assert query(tmp_path / "absent") is None


def fourcc(code: str) -> int:
    return cv2.VideoWriter.fourcc(*code)


@dataclass
class FakeV4l2:
    """A capture of some pixel formats and one size, as OpenCV's V4L2 backend behaves."""

    formats: tuple[str, ...] = ("MJPG", "YUYV")
    size: tuple[int, int] = (640, 480)
    fixed_size: bool = False
    fps: float = 30.0
    stamp_ms: Callable[[], float] = lambda: 0.0
    frames: int = 3
    opened: bool = True
    released: bool = False
    raw: bool = False
    asked: list[tuple[int, float]] = field(default_factory=list)
    format: str = ""

    def __post_init__(self) -> None:
        self.format = self.format or self.formats[-1]

    def isOpened(self) -> bool:  # noqa: N802 (OpenCV names it)
        return self.opened

    def set(self, key: int, value: float) -> bool:
        self.asked.append((key, value))
        code = int(value).to_bytes(4, "little").decode("latin1") if key == cv2.CAP_PROP_FOURCC else ""
        if code in self.formats:
            self.format = code
        if key == cv2.CAP_PROP_CONVERT_RGB:
            self.raw = value == 0
        if not self.fixed_size and key == cv2.CAP_PROP_FRAME_WIDTH:
            self.size = (int(value), self.size[1])
        if not self.fixed_size and key == cv2.CAP_PROP_FRAME_HEIGHT:
            self.size = (self.size[0], int(value))
        return True

    def get(self, key: int) -> float:
        return {
            cv2.CAP_PROP_FOURCC: float(fourcc(self.format)),
            cv2.CAP_PROP_FRAME_WIDTH: float(self.size[0]),
            cv2.CAP_PROP_FRAME_HEIGHT: float(self.size[1]),
            cv2.CAP_PROP_FPS: self.fps,
            cv2.CAP_PROP_POS_MSEC: self.stamp_ms(),
        }[key]

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.frames -= 1
        if self.frames < 0:
            return False, None
        bgr = np.zeros((self.size[1], self.size[0], 3), np.uint8)
        bgr[..., 2] = 200  # red
        if not self.raw:
            return True, bgr
        if self.format == "MJPG":
            return True, cv2.imencode(".jpg", bgr)[1].reshape(1, -1)
        return True, cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_YUY2)

    def release(self) -> None:
        self.released = True


def camera(fake: FakeV4l2, said: list[str] | None = None, wanted: str = "7", **options: Any) -> V4l2Camera:
    devices = (VideoDevice(Path("/dev/video7"), WEBCAM),)
    report = (said if said is not None else []).append
    return V4l2Camera(wanted, SourceOptions(**options), report, devices=lambda: devices, open_capture=lambda *_: fake)


@pytest.mark.parametrize(
    ("formats", "granted", "raw"),
    [
        (("MJPG", "YUYV"), "MJPG", True),
        (("YUYV",), "YUYV", True),
        (("YUYV", "BGR3"), "YUYV", True),
        (("GREY",), "GREY", False),
    ],
)
def test_mjpg_is_preferred_and_pictures_are_rgb_whatever_the_format(
    formats: tuple[str, ...], granted: str, raw: bool
) -> None:
    fake = FakeV4l2(formats)
    capture = camera(fake, size=(320, 180)).open()
    image = capture.grab().decode()
    assert (fake.format, fake.raw) == (granted, raw)
    assert image.shape == (180, 320, 3)
    red, green, blue = image[90, 160].astype(int)
    assert red > 180
    assert max(green, blue) < 30
    assert capture.fps == 30
    capture.close()
    assert fake.released


def test_what_was_asked_for_and_not_granted_is_said_once() -> None:
    said: list[str] = []
    fake = FakeV4l2(("YUYV",), fixed_size=True)
    asked = camera(fake, said, size=(1280, 720), rate=60.0, pixel_format="MJPG")
    asked.open()
    asked.open()
    assert said == [
        "/dev/video7: gives 640x480 in place of 1280x720, 30 frames per second in place of 60, YUYV in place of MJPG; "
        "v4l2-ctl --list-formats-ext lists what it can"
    ]
    camera(FakeV4l2(), said, size=(640, 360), rate=30.0, pixel_format="YUYV").open()
    assert len(said) == 1


def test_the_age_counts_from_the_drivers_time_stamp_when_that_makes_sense() -> None:
    now_ms = time.monotonic() * 1000
    capture = camera(FakeV4l2(stamp_ms=lambda: now_ms - 40)).open()
    assert capture.grab().captured_monotonic_s == pytest.approx(now_ms / 1000 - 0.04)
    of_epoch = camera(FakeV4l2(stamp_ms=lambda: time.time() * 1000)).open()
    assert of_epoch.grab().captured_monotonic_s == pytest.approx(time.monotonic(), abs=0.5)


def test_a_camera_that_gives_no_more_frames_and_one_that_does_not_open() -> None:
    capture = camera(FakeV4l2(frames=1)).open()
    capture.grab()
    with pytest.raises(SourceError, match=r"^/dev/video7: gives no more frames; check the cable"):
        capture.grab()
    with pytest.raises(SourceError, match=r"^/dev/video7: may not be read by this user; type  sudo usermod"):
        camera(FakeV4l2(opened=False)).open()


def test_a_damaged_jpeg_of_a_camera_is_an_image_error() -> None:
    fake = FakeV4l2()
    grabbed = camera(fake).open().grab()
    assert grabbed.decode().shape == (480, 640, 3)
    fake.read = lambda: (True, np.zeros((1, 50), np.uint8))  # type: ignore[method-assign]
    with pytest.raises(ImageError):
        camera(fake).open().grab().decode()


def test_a_camera_that_was_plugged_in_again_is_found_under_its_name() -> None:
    listed = [VideoDevice(Path("/dev/video0"), WEBCAM), VideoDevice(Path("/dev/video2"), OTHER)]
    paths: list[str] = []

    def open_capture(path: str, _backend: int) -> FakeV4l2:
        paths.append(path)
        return FakeV4l2()

    again = V4l2Camera("0", SourceOptions(), print, devices=lambda: listed, open_capture=open_capture)
    again.open()
    listed[:] = [VideoDevice(Path("/dev/video2"), OTHER), VideoDevice(Path("/dev/video3"), WEBCAM)]
    again.open()
    listed[:] = [VideoDevice(Path("/dev/video0"), OTHER), VideoDevice(Path("/dev/video1"), WEBCAM)]
    again.open()
    assert paths == ["/dev/video0", "/dev/video3", "/dev/video1"]
    listed[:] = [VideoDevice(Path("/dev/video2"), OTHER)]
    with pytest.raises(SourceError, match="no such camera"):
        again.open()


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("0", "camera0"),
        ("/dev/video3", "camera3"),
        ("/dev/v4l/by-id/usb-x", "v4l_by_id_usb_x"),
        (WEBCAM, "HD_Pro_Webcam_C920"),
    ],
)
def test_a_cameras_name_can_be_part_of_a_files(wanted: str, name: str) -> None:
    assert V4l2Camera(wanted, SourceOptions(), print).name == name


class FakePicamera2:
    """As much of picamera2 as is used; a picture is red, in the order of bytes that its format means."""

    cameras: tuple[dict[str, Any], ...] = ({"Model": "imx708", "Num": 0}, {"Model": "imx219", "Num": 1})
    last: "FakePicamera2"

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        return list(cls.cameras)

    def __init__(self, number: int) -> None:
        self.number, self.state, self.silent, self.released = number, "made", False, 0
        type(self).last = self

    def create_video_configuration(self, main: dict[str, Any], **others: Any) -> dict[str, Any]:
        return {"main": main, **others}

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configuration = configuration

    def start(self) -> None:
        self.state = "started"

    def stop(self) -> None:
        self.state = "stopped"

    def close(self) -> None:
        self.state = "closed"

    def capture_request(self, wait: bool) -> "FakePicamera2":
        assert not wait
        return self

    def get_result(self, timeout: float) -> "FakePicamera2":
        if self.silent:
            raise TimeoutError
        return self

    def make_array(self, stream: str) -> np.ndarray:
        assert stream == "main"
        width, height = self.configuration["main"]["size"]
        order = {"BGR888": (200, 0, 0), "RGB888": (0, 0, 200)}[self.configuration["main"]["format"]]
        return np.full((height, width, 3), order, np.uint8)

    def get_metadata(self) -> dict[str, Any]:
        return {"SensorTimestamp": time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 50_000_000}

    def release(self) -> None:
        self.released += 1


def csi(wanted: str = "0", **options: Any) -> PiCamera:
    return PiCamera(wanted, SourceOptions(**options), lambda: FakePicamera2)


def test_a_csi_camera_gives_rgb_with_the_sensors_time() -> None:
    capture = csi(size=(640, 360), rate=15.0).open()
    grabbed = capture.grab()
    assert grabbed.decode().shape == (360, 640, 3)
    assert grabbed.decode()[0, 0].tolist() == [200, 0, 0]
    assert time.monotonic() - grabbed.captured_monotonic_s == pytest.approx(0.05, abs=0.5)
    assert FakePicamera2.last.configuration["controls"] == {"FrameRate": 15.0}
    assert FakePicamera2.last.released == 1
    capture.close()
    assert FakePicamera2.last.state == "closed"


@pytest.mark.parametrize(("wanted", "number"), [("", 0), ("1", 1), ("imx219", 1)])
def test_csi_cameras_go_by_number_and_sensor(wanted: str, number: int) -> None:
    csi(wanted).open()
    assert FakePicamera2.last.number == number


def test_an_absent_csi_camera_and_a_silent_one_are_told() -> None:
    with pytest.raises(SourceError, match=r"libcamera sees picamera:0 \(imx708\), picamera:1 \(imx219\)"):
        csi("2").open()
    capture = csi().open()
    FakePicamera2.last.silent = True
    with pytest.raises(SourceError, match=r"picamera:0: no frame for 2.5 s; check the ribbon cable"):
        capture.grab()


def test_without_picamera2_it_is_said_what_to_type() -> None:
    with pytest.raises(SourceError, match=r"apt install python3-picamera2 .*--system-site-packages"):
        load_picamera2()
