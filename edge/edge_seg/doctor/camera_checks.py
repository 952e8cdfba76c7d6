"""Rules from readings of the cameras to findings."""

from collections.abc import Iterator, Sequence

from edge_seg.doctor.board import Board
from edge_seg.doctor.cameras import Libcamera, Role, VideoNode
from edge_seg.doctor.finding import Finding, problem, warning
from edge_seg.doctor.software import PythonEnvironment

_NUMPY_CLASH = "numpy.dtype size changed"
_OTHERWISE = "plug in a USB camera, or give a stream with --source rtsp://..."


def check_cameras(
    nodes: Sequence[VideoNode], libcamera: Libcamera, board: Board, python: PythonEnvironment
) -> Iterator[Finding]:
    """No camera, one that may not be opened, and CSI cameras that this Python cannot reach."""
    refused, silent, usable = (
        [node.path for node in nodes if node.role is role] for role in (Role.REFUSED, Role.SILENT, Role.CAMERA)
    )
    if refused:
        yield problem(
            f"this user may not open {', '.join(refused)}",
            "sudo usermod -aG video $USER",
            "join the group video, and log in again:",
        )
    if silent:
        yield warning(
            f"{', '.join(silent)} gives no answer", "sudo dmesg | tail", "unplug the camera and plug it in again; then:"
        )
    csi_present = any(node.role is Role.CSI for node in nodes)
    unreachable = list(_check_libcamera(libcamera, python, csi_present)) if board.is_raspberry_pi else []
    yield from unreachable
    if not (refused or silent or usable or libcamera.cameras or unreachable):
        lists = "rpicam-hello --list-cameras" if board.is_raspberry_pi else ""
        yield warning(
            "no camera was found",
            lists,
            f"{_OTHERWISE}; a CSI camera that is connected shows here:" if lists else _OTHERWISE,
        )


def _check_libcamera(libcamera: Libcamera, python: PythonEnvironment, csi_present: bool) -> Iterator[Finding]:
    if libcamera.importable:
        return
    if _NUMPY_CLASH in libcamera.error:
        yield problem(
            f"picamera2 cannot be imported: the system's simplejpeg was built for NumPy 1, and this environment has "
            f"NumPy {python.numpy}",
            f"{python.executable} -m pip install --force-reinstall --no-deps simplejpeg",
        )
    elif libcamera.error:
        yield problem(
            f"picamera2 cannot be imported: {libcamera.error}",
            "sudo apt install --reinstall -y python3-picamera2 python3-libcamera",
        )
    elif libcamera.installed_for_system and not python.system_packages:
        yield warning(
            f"the system has picamera2, but the environment {python.prefix} does not see it: CSI cameras do not open",
            f"sed -i 's/^\\(include-system-site-packages\\).*/\\1 = true/' {python.prefix}/pyvenv.cfg",
        )
    elif csi_present:
        yield warning(
            "picamera2 is not installed, which CSI cameras need",
            "sudo apt install -y --no-install-recommends python3-picamera2",
        )
