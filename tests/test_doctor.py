"""The doctor on boards that are folders, and its rules on values."""

import dataclasses
import errno
import json
import os
import struct
from pathlib import Path

import pytest
from typer.testing import CliRunner

from device_boards import BOARDS, lay_out
from edge_seg import machine
from edge_seg.cli.app import build_app
from edge_seg.doctor import checks
from edge_seg.doctor.board import Board, read_board
from edge_seg.doctor.camera_checks import check_cameras
from edge_seg.doctor.cameras import Libcamera, Role, VideoNode, camera_models, read_libcamera, read_video_nodes
from edge_seg.doctor.clock import Clock, read_clock
from edge_seg.doctor.examination import examine
from edge_seg.doctor.finding import Level
from edge_seg.doctor.power import Throttling, read_temperature_c, read_throttling
from edge_seg.doctor.processor import read_processor
from edge_seg.doctor.report import as_dict, sections
from edge_seg.doctor.software import OpenCv, PythonEnvironment, Runtime
from edge_seg.doctor.storage import Disk, Memory, read_disk, read_memory
from edge_seg.v4l2_ioctl import (
    VIDIOC_ENUM_FMT,
    VIDIOC_ENUM_FRAMESIZES,
    VIDIOC_QUERYCAP,
    Capability,
    Node,
    PixelFormat,
    fourcc,
    query_node,
)

PI4 = Board("Raspberry Pi 4 Model B Rev 1.5", "Debian GNU/Linux 12 (bookworm)", "12", "6.12", "aarch64", 64)
PC = Board("", "Debian GNU/Linux 12 (bookworm)", "12", "6.1", "x86_64", 64)
VENV = PythonEnvironment("3.11.2", "/opt/edge-seg/bin/python", "/opt/edge-seg", True, False, "2.2.6")
CARD = Disk("/home/pi", 9000, 29000, read_only=False, volatile=False, errors=0)
USB = VideoNode("/dev/video0", "C920", "uvcvideo", Role.CAMERA)
NO_LIBCAMERA = Libcamera(False)


@pytest.mark.parametrize(
    ("board", "processor", "sets", "note"),
    [
        ("zero 2 W, 32 bits", "Cortex-A53", ("NEON",), "gain less"),
        ("zero 2 W", "Cortex-A53", ("NEON",), "gain less"),
        ("pi 4", "Cortex-A72", ("NEON",), "gain less"),
        ("pi 5", "Cortex-A76", ("dot product", "fp16", "NEON"), "run fastest"),
        ("pc", "Intel(R) Xeon(R)", ("AVX2", "AVX-512 VNNI"), "run fastest"),
    ],
)
def test_boards_are_told_by_their_files(tmp_path: Path, board: str, processor: str, sets: tuple, note: str) -> None:
    root = lay_out(tmp_path, board)
    found = read_processor(root)
    assert (found.name, found.instruction_sets) == (processor, sets)
    assert found.cores == (2 if board == "pc" else 4)
    assert note in found.int8_note
    model = BOARDS[board].get("proc/device-tree/model", "").strip("\0")
    assert read_board(root).model == model == machine.board_model(root)
    assert read_board(root).is_raspberry_pi == (board != "pc")
    assert read_temperature_c(root) == (None if board == "pc" else 48.312) == machine.temperature_c(root)


@pytest.mark.parametrize(
    ("architecture", "bits", "levels"),
    [
        ("aarch64", 64, []),
        ("aarch64", 32, [Level.PROBLEM]),
        ("armv7l", 32, [Level.WARNING]),
        ("armv6l", 32, [Level.WARNING]),
        ("x86_64", 64, []),
    ],
)
def test_a_32_bit_userland_is_found(tmp_path: Path, architecture: str, bits: int, levels: list[Level]) -> None:
    board = read_board(lay_out(tmp_path, "zero 2 W"), architecture=architecture, userland_bits=bits)
    assert [finding.level for finding in checks.check_board(board)] == levels


THROTTLED = [
    ("0", (), ()),
    ("50000", (), ("under-voltage", "throttled")),
    ("50005", ("under-voltage", "throttled"), ("under-voltage", "throttled")),
    ("1", ("under-voltage",), ()),
    ("80008", ("soft temperature limit",), ("soft temperature limit",)),
    ("e0002", ("frequency capped",), ("frequency capped", "throttled", "soft temperature limit")),
]


@pytest.mark.parametrize("board", ["zero 2 W", "pi 4", "pi 5"])
@pytest.mark.parametrize(("text", "now", "since_boot"), THROTTLED)
def test_throttling_is_read_from_sysfs(tmp_path: Path, board: str, text: str, now: tuple, since_boot: tuple) -> None:
    root = lay_out(tmp_path, board, get_throttled=text + "\n")
    found = read_throttling(root, ask=lambda: pytest.fail("sysfs was enough"))
    assert found is not None
    assert (found.now, found.since_boot) == (now, since_boot)
    assert machine.throttling(root) == found.sentences


@pytest.mark.parametrize(
    ("printed", "bits"), [("throttled=0x50005\n", 0x50005), ("", None), ("VCHI initialization failed", None)]
)
def test_where_sysfs_has_none_the_firmware_is_asked(tmp_path: Path, printed: str, bits: int | None) -> None:
    found = read_throttling(tmp_path, ask=lambda: printed)
    assert (found.bits if found else None) == bits
    assert machine.throttling(tmp_path) is None


@pytest.mark.parametrize(
    ("bits", "temperature_c", "said"),
    [
        (0x0, 48.0, []),
        (None, None, []),
        (0x50000, 48.0, [(Level.WARNING, "was too low")]),
        (0x50005, 48.0, [(Level.PROBLEM, "too low at this moment"), (Level.WARNING, "throttled")]),
        (0x80008, 62.0, [(Level.WARNING, "soft temperature limit")]),
        (0x0, 74.6, [(Level.WARNING, "75 °C, near 80 °C")]),
        (0x60006, 84.0, [(Level.WARNING, "frequency capped, throttled, at 84 °C")]),
        (None, 84.0, [(Level.WARNING, "84 °C: above 80 °C")]),
    ],
)
def test_power_and_heat(bits: int | None, temperature_c: float | None, said: list) -> None:
    throttling = None if bits is None else Throttling(bits)
    found = list(checks.check_power(throttling, temperature_c, PI4))
    assert [finding.level for finding in found] == [level for level, _ in said]
    assert all(words in finding.what for finding, (_, words) in zip(found, said, strict=True))
    assert all("5.1 V / 3 A" in finding.advice for finding in found if "supply" in finding.what)


def test_memory_and_swap(tmp_path: Path) -> None:
    memory = read_memory(lay_out(tmp_path, "zero 2 W"))
    assert memory == Memory(total_mb=434, available_mb=217, swap_mb=0)
    (no_swap,) = checks.check_memory(memory, read_board(tmp_path))
    assert "434 MB of memory and no swap" in no_swap.what
    assert "apt install -y rpi-swap" in no_swap.command
    (full,) = checks.check_memory(Memory(4000, 90, 200), PI4)
    assert "90 MB" in full.what
    assert not list(checks.check_memory(Memory(4000, 2000, 0), PI4))


@pytest.mark.parametrize(
    ("mounts", "read_only", "volatile"),
    [
        ("/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n", False, False),
        ("/dev/mmcblk0p2 / ext4 ro,noatime 0 0\n", True, False),
        ("overlay / overlay rw,lowerdir=/lower 0 0\n", False, True),
        ("/dev/mmcblk0p2 / ext4 ro 0 0\n/dev/sda1 {folder} ext4 rw 0 0\n", False, False),
        ("/dev/mmcblk0p2 / ext4 rw 0 0\ntmpfs {folder} tmpfs rw 0 0\n", False, True),
        ("", False, False),
    ],
)
def test_disks_that_cannot_keep_anything(tmp_path: Path, mounts: str, read_only: bool, volatile: bool) -> None:
    root = lay_out(tmp_path, "pi 4", mounts=mounts.format(folder=tmp_path))
    disk = read_disk(tmp_path, root)
    assert (disk.read_only, disk.volatile) == (read_only, volatile)
    assert 0 < disk.free_mb <= disk.total_mb


def test_errors_that_ext4_counted_are_added_up(tmp_path: Path) -> None:
    for name, count in (("mmcblk0p2", "3\n"), ("sda1", "1\n"), ("features", "")):
        (tmp_path / "sys/fs/ext4" / name).mkdir(parents=True)
        (tmp_path / "sys/fs/ext4" / name / "errors_count").write_text(count)
    assert read_disk(tmp_path, tmp_path).errors == 4


@pytest.mark.parametrize(
    ("changed", "level", "said"),
    [
        ({}, None, ""),
        ({"free_mb": 700}, Level.WARNING, "only 700 MB"),
        ({"free_mb": 12}, Level.PROBLEM, "is full"),
        ({"read_only": True}, Level.PROBLEM, "read-only"),
        ({"volatile": True}, Level.WARNING, "is lost"),
        ({"errors": 4}, Level.PROBLEM, "counted 4 errors"),
    ],
)
def test_disk_findings(changed: dict, level: Level | None, said: str) -> None:
    found = list(checks.check_disk(dataclasses.replace(CARD, **changed)))
    assert [finding.level for finding in found] == ([level] if level else [])
    assert all(said in finding.what for finding in found)


def test_the_clock(tmp_path: Path) -> None:
    root = lay_out(tmp_path, "pi 5")
    assert read_clock(root, lambda: False) == Clock(synchronised=False, battery_backed=True)
    (tmp_path / "run/systemd/timesync").mkdir(parents=True)
    (tmp_path / "run/systemd/timesync/synchronized").touch()
    assert read_clock(root, lambda: False).synchronised
    assert not list(checks.check_clock(Clock(synchronised=True, battery_backed=False)))
    (wrong,) = checks.check_clock(Clock(synchronised=False, battery_backed=False))
    assert "runs while the board is off" in wrong.what


@pytest.mark.parametrize(
    ("runtime", "level"),
    [
        (Runtime("litert", "2.3.0", 88, 87), None),
        (Runtime("litert", "2.3.0", 88, 0), Level.WARNING),
        (Runtime("litert", "2.3.0", error="numpy.core failed"), Level.PROBLEM),
        (Runtime("litert", ""), Level.PROBLEM),
    ],
)
def test_runtimes(runtime: Runtime, level: Level | None) -> None:
    assert [finding.level for finding in checks.check_runtimes([runtime], VENV)] == ([level] if level else [])


def test_opencv_and_python() -> None:
    (broken,) = checks.check_opencv(OpenCv("", error="libGL.so.1: cannot open shared object file"), VENV)
    assert "opencv-python-headless" in broken.command
    assert not list(checks.check_opencv(OpenCv("4.12.0"), VENV))
    (bare,) = checks.check_python(PythonEnvironment("3.13.5", "/usr/bin/python3", "/usr", False, True, "2.2.4"))
    assert "-m venv --system-site-packages" in bare.command
    assert not list(checks.check_python(VENV))


CSI = VideoNode("/dev/video0", "unicam-image", "unicam", Role.CSI)
CLASH = "ValueError: numpy.dtype size changed, may indicate binary incompatibility"


@pytest.mark.parametrize(
    ("board", "nodes", "libcamera", "said"),
    [
        (PC, [USB], NO_LIBCAMERA, []),
        (PC, [], NO_LIBCAMERA, ["no camera"]),
        (PI4, [USB], NO_LIBCAMERA, []),
        (PI4, [CSI], Libcamera(True, ("imx708",)), []),
        (PI4, [], Libcamera(True), ["no camera"]),
        (PI4, [CSI], NO_LIBCAMERA, ["picamera2 is not installed"]),
        (PI4, [CSI], Libcamera(False, installed_for_system=True), ["does not see it"]),
        (PI4, [CSI], Libcamera(False, error=CLASH, installed_for_system=True), ["NumPy 2.2.6"]),
        (PI4, [CSI], Libcamera(False, error="ImportError: no libcamera"), ["no libcamera"]),
        (PC, [dataclasses.replace(USB, role=Role.REFUSED)], NO_LIBCAMERA, ["may not open /dev/video0"]),
        (PC, [USB, dataclasses.replace(USB, role=Role.SILENT)], NO_LIBCAMERA, ["gives no answer"]),
    ],
)
def test_cameras(board: Board, nodes: list[VideoNode], libcamera: Libcamera, said: list[str]) -> None:
    found = list(check_cameras(nodes, libcamera, board, VENV))
    assert len(found) == len(said)
    assert all(words in finding.what for finding, words in zip(found, said, strict=True))
    assert all(finding.command or finding.advice for finding in found)


class FakeCamera:
    """Answers ioctls as a V4L2 driver does."""

    def __init__(self, driver: bytes, capabilities: Capability, formats: dict[str, list[tuple[int, ...]]]) -> None:
        self._driver, self._capabilities, self._formats = driver, capabilities, formats

    def ioctl(self, _descriptor: int, request: int, structure) -> None:
        if request == VIDIOC_QUERYCAP:
            structure.driver, structure.card = self._driver, "Kamera ü".encode()
            structure.capabilities = 0x84A00001 | Capability.DEVICE_CAPS
            structure.device_caps = self._capabilities
            return
        assert request in (VIDIOC_ENUM_FMT, VIDIOC_ENUM_FRAMESIZES)
        names = list(self._formats)
        entries = names if request == VIDIOC_ENUM_FMT else self._formats[fourcc(structure.pixel_format)]
        if structure.index >= len(entries):
            raise OSError(errno.EINVAL, "no more")
        entry = entries[structure.index]
        if request == VIDIOC_ENUM_FMT:
            assert structure.type == (1 if self._capabilities & Capability.VIDEO_CAPTURE else 9)
            structure.pixelformat = int.from_bytes(entry.encode(), "little")
        else:
            structure.type = 1 if len(entry) == 2 else 3
            structure.numbers[: len(entry)] = entry


WEBCAM = {"MJPG": [(640, 480), (1920, 1080)], "YUYV": [(640, 480)]}


def test_the_requests_are_those_of_the_kernel() -> None:
    """Figures of VIDIOC_* as a C compiler prints them, the same on x86-64, arm64 and armhf."""
    assert (VIDIOC_QUERYCAP, VIDIOC_ENUM_FMT, VIDIOC_ENUM_FRAMESIZES) == (0x80685600, 0xC0405602, 0xC02C564A)


def test_formats_and_sizes_of_a_camera() -> None:
    node = query_node(3, FakeCamera(b"uvcvideo", Capability.VIDEO_CAPTURE, WEBCAM).ioctl)
    assert (node.driver, node.card) == ("uvcvideo", "Kamera ü")
    assert node.formats == (PixelFormat("MJPG", ("1920×1080", "640×480")), PixelFormat("YUYV", ("640×480",)))


def test_sizes_of_a_node_that_scales() -> None:
    scaler = FakeCamera(b"unicam", Capability.VIDEO_CAPTURE_MPLANE, {"pRAA": [(16, 4056, 1, 16, 3040, 1)]})
    assert query_node(3, scaler.ioctl).formats == (PixelFormat("pRAA", ("16×16 to 4056×3040",)),)


@pytest.mark.parametrize(
    ("driver", "capabilities", "role"),
    [
        ("uvcvideo", Capability.VIDEO_CAPTURE | Capability.STREAMING, Role.CAMERA),
        ("uvcvideo", Capability.META_CAPTURE | Capability.STREAMING, Role.METADATA),
        ("vivid", Capability.VIDEO_CAPTURE, Role.CAMERA),
        ("unicam", Capability.VIDEO_CAPTURE, Role.CSI),
        ("rp1-cfe", Capability.VIDEO_CAPTURE, Role.CSI),
        ("unicam", Capability.META_CAPTURE, Role.METADATA),
        ("bcm2835-codec", Capability.VIDEO_M2M_MPLANE, Role.CONVERTER),
        ("bcm2835-isp", Capability.VIDEO_CAPTURE, Role.CONVERTER),
        ("pispbe", Capability.VIDEO_CAPTURE_MPLANE, Role.CONVERTER),
        ("bcm2835-isp", Capability.VIDEO_OUTPUT, Role.CONVERTER),
        ("v4l2loopback", Capability.VIDEO_OUTPUT, Role.OUTPUT),
    ],
)
def test_nodes_are_told_apart(tmp_path: Path, driver: str, capabilities: Capability, role: Role) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/video0").touch()
    (node,) = read_video_nodes(tmp_path, lambda _: Node(driver, "card", capabilities, ()))
    assert node == VideoNode("/dev/video0", "card", driver, role)


@pytest.mark.parametrize(("number", "role"), [(errno.EACCES, Role.REFUSED), (errno.EIO, Role.SILENT)])
def test_nodes_that_do_not_answer_are_named_from_sysfs(tmp_path: Path, number: int, role: Role) -> None:
    for name in ("video10", "video2", "videoX"):
        (tmp_path / "sys/class/video4linux" / name).mkdir(parents=True)
        (tmp_path / "sys/class/video4linux" / name / "name").write_text(f"Kamera {name}\n")
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / name).touch()

    def refuse(_: int) -> Node:
        raise OSError(number, os.strerror(number))

    found = read_video_nodes(tmp_path, refuse)
    assert [(node.path, node.name, node.role) for node in found] == [
        ("/dev/video2", "Kamera video2", role),
        ("/dev/video10", "Kamera video10", role),
    ]


def test_a_file_that_is_no_device_gives_no_answer(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/video0").touch()
    (node,) = read_video_nodes(tmp_path)  # the real ioctl, refused with ENOTTY
    assert node.role is Role.SILENT


def test_sensor_names_are_read_off_the_last_line() -> None:
    assert camera_models('[0:01] INFO Camera\n[{"Model": "imx708", "Num": 0}]\n') == ("imx708",)
    assert camera_models("") == ()


@pytest.mark.parametrize(
    ("code", "importable", "cameras", "error"),
    [
        ("class Picamera2:\n  global_camera_info = lambda: [{'Model': 'imx708'}]", True, ("imx708",), ""),
        ("print('INFO')\nclass Picamera2:\n  global_camera_info = lambda: []", True, (), ""),
        (f"raise {CLASH.partition(':')[0]}({CLASH.partition(': ')[2]!r})", False, (), CLASH),
        ("import os; os.abort()", False, (), "exit code -6"),
    ],
)
def test_picamera2_is_tried_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, importable: bool, cameras: tuple, error: str
) -> None:
    (tmp_path / "picamera2.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert read_libcamera(tmp_path) == Libcamera(importable, cameras, error)


def test_picamera2_of_the_system_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/python3/dist-packages/picamera2").mkdir(parents=True)
    assert read_libcamera(tmp_path) == Libcamera(False, installed_for_system=True)


@pytest.mark.parametrize("board", BOARDS)
def test_a_whole_examination(tmp_path: Path, board: str) -> None:
    found = examine(lay_out(tmp_path, board), tmp_path)
    data = json.loads(json.dumps(as_dict(found)))
    assert data["board"] == (BOARDS[board].get("proc/device-tree/model", "").strip("\0") or None)
    assert data["throttled_bits"] == (None if board == "pc" else "0x0")
    assert [title for title, _ in sections(found)] == ["Machine", "Software", "Cameras"]
    assert all(value for _, rows in sections(found) for _, value in rows)
    order = [finding.level for finding in found.findings]
    assert order == sorted(order, key=[Level.PROBLEM, Level.WARNING].index)


def test_doctor_ends_with_1_when_there_is_a_problem(tmp_path: Path) -> None:
    root = lay_out(tmp_path, "pi 4", get_throttled="50005\n")
    done = CliRunner().invoke(build_app("doctor"), ["doctor", "--root", str(root)])
    assert done.exit_code == 1
    assert "✗ problem" in done.output
    assert "power supply (5.1 V / 3 A)" in done.output
    assert "Raspberry Pi 4 Model B Rev 1.5" in done.output


def test_of_many_formats_the_usual_ones_are_shown(tmp_path: Path) -> None:
    formats = tuple(PixelFormat(f"F{n:03}", ("1×1",) * 6) for n in range(50))
    camera = dataclasses.replace(USB, formats=(*formats, PixelFormat("MJPG", ("640×480",))))
    found = dataclasses.replace(examine(lay_out(tmp_path, "pc"), tmp_path), nodes=(camera,))
    ((_, text), _) = dict(sections(found))["Cameras"]
    assert text.splitlines()[:3] == ["C920 (uvcvideo)", "MJPG 640×480", "F000 1×1, 1×1, 1×1, 1×1 …"]
    assert text.splitlines()[-1] == "and 47 more formats"


def test_pointers_are_measured() -> None:
    assert read_board().userland_bits == struct.calcsize("P") * 8
