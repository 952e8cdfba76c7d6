"""Rules from readings to findings. They read nothing: everything they judge is handed in."""

from collections.abc import Iterator, Sequence

from edge_seg.doctor.board import Board
from edge_seg.doctor.cameras import Libcamera, Role, VideoNode
from edge_seg.doctor.clock import Clock
from edge_seg.doctor.finding import Finding, problem, warning
from edge_seg.doctor.power import UNDER_VOLTAGE, Throttling
from edge_seg.doctor.software import OpenCv, PythonEnvironment, Runtime, user_name
from edge_seg.doctor.storage import Disk, Memory

_WARM_C, _THROTTLES_C = 70.0, 80.0  # every Pi slows its processor down from 80 °C on
_SMALL_MEMORY_MB = 700
_NEEDED_MEMORY_MB = 150  # the camera's peak is about 115 MB
_SCARCE_DISK_MB, _FULL_DISK_MB = 1000, 100
_SUPPLIES = {
    "Zero 2": "5 V / 2.5 A",
    "Raspberry Pi 3": "5.1 V / 2.5 A",
    "Raspberry Pi 4": "5.1 V / 3 A",
    "Raspberry Pi 5": "5.1 V / 5 A",
}
_FREE_SPACE = (
    "sudo apt clean && sudo journalctl --vacuum-size=50M; what takes most:  sudo du -xh / | sort -h | tail -20"
)
_REINSTALL = "pip install --upgrade --force-reinstall edge-seg"
_NUMPY_CLASH = "numpy.dtype size changed"


def check_board(board: Board) -> Iterator[Finding]:
    """A 32-bit system, for which there are hardly any wheels."""
    if board.narrow_userland:
        yield problem(
            f"this system's programs are 32 bits wide under a 64-bit kernel ({board.architecture}), for which there "
            "is no wheel of LiteRT",
            "write the 64-bit Raspberry Pi OS Lite to the card, or boot the 32-bit kernel: "
            "echo arm_64bit=0 | sudo tee -a /boot/firmware/config.txt && sudo reboot",
        )
    elif board.userland_bits == 32:
        yield warning(
            "this is a 32-bit system: only the older tflite_runtime runs on it, with Python 3.11 and NumPy 1",
            "write the 64-bit Raspberry Pi OS Lite to the card, if the board is a Zero 2 W, 3, 4 or 5",
        )


def check_power(throttling: Throttling | None, temperature_c: float | None, board: Board) -> Iterator[Finding]:
    """Under-voltage, which corrupts cards and resets cameras, and heat."""
    now = throttling.now if throttling else ()
    before = throttling.since_boot if throttling else ()
    supply = next((text for name, text in _SUPPLIES.items() if name in board.model), "enough current")
    better = f"use the board's own power supply ({supply}) and a short, thick cable; then  vcgencmd get_throttled"
    if UNDER_VOLTAGE in now:
        yield problem("the supply voltage is too low at this moment: cameras drop out and cards get corrupted", better)
    elif UNDER_VOLTAGE in before:
        yield warning("the supply voltage was too low since the board was switched on", better)
    slowed = [reason for reason in now if reason != UNDER_VOLTAGE]
    if slowed:
        yield warning(
            f"the firmware slows the processor down at this moment ({', '.join(slowed)})",
            "cool it (heat sink, fan, shade), or give it less to do: edge-seg camera --max-fps 5",
        )
    if temperature_c is not None and temperature_c >= _WARM_C:
        hot = temperature_c >= _THROTTLES_C
        yield warning(
            f"the processor is at {temperature_c:.0f} °C and "
            + ("slows down: the limit is 80 °C" if hot else "near 80 °C, where it slows down"),
            "cool it (heat sink, fan, shade), or give it less to do: edge-seg camera --max-fps 5",
        )


def check_memory(memory: Memory, board: Board) -> Iterator[Finding]:
    """Boards of 512 MB need swap to install and update beside the camera."""
    if 0 < memory.available_mb < _NEEDED_MEMORY_MB:
        yield warning(
            f"only {memory.available_mb} MB of memory are free, and the camera takes up to {_NEEDED_MEMORY_MB}",
            "end other programs; what takes most:  ps -eo rss,args --sort=-rss | head",
        )
    if 0 < memory.total_mb < _SMALL_MEMORY_MB and memory.swap_mb == 0:
        trixie = board.os_version.isdecimal() and int(board.os_version) >= 13
        package = "systemd-zram-generator" if trixie else "zram-tools"
        yield warning(
            f"{memory.total_mb} MB of memory and no swap: an update beside the camera can end it",
            f"sudo apt install -y {package} && sudo reboot",
        )


def check_disk(disk: Disk) -> Iterator[Finding]:
    """A disk that is full, read-only, forgets, or wears out."""
    if disk.read_only:
        yield problem(
            f"nothing can be written to {disk.folder}: its file system is mounted read-only",
            "after a power cut:  sudo fsck -f  at the next boot; if that was meant, write results to another disk",
        )
    elif disk.volatile:
        yield warning(
            f"what is written to {disk.folder} is lost when the power goes: it lies in memory (overlay or tmpfs)",
            "write results to a USB stick, or end the overlay:  sudo raspi-config nonint do_overlayfs 1 && sudo reboot",
        )
    if disk.errors:
        yield problem(
            f"the file system counted {disk.errors} errors: the card or disk is wearing out or was cut off from power",
            "copy what you need, and write the system to a new card (high-endurance)",
        )
    if disk.free_mb < _FULL_DISK_MB:
        yield problem(f"{disk.folder}: the disk is full, {disk.free_mb} MB are free", _FREE_SPACE)
    elif disk.free_mb < _SCARCE_DISK_MB:
        yield warning(f"{disk.folder}: only {disk.free_mb} MB of disk are free", _FREE_SPACE)


def check_clock(clock: Clock) -> Iterator[Finding]:
    """A clock that nobody set gives wrong time stamps."""
    if not clock.synchronised:
        keeps = "" if clock.battery_backed else ", and the board has none that runs while it is off"
        yield warning(
            f"the clock is not set by a time server{keeps}: time stamps may be wrong",
            "sudo timedatectl set-ntp true && timedatectl timesync-status",
        )


def check_python(python: PythonEnvironment) -> Iterator[Finding]:
    """Raspberry Pi OS refuses pip outside a virtual environment (PEP 668)."""
    if not python.is_venv and python.prefix == "/usr":
        yield warning(
            "this runs in the system's own Python, where pip and apt overwrite each other's packages",
            "sudo python3 -m venv --system-site-packages /opt/edge-seg && sudo /opt/edge-seg/bin/pip install edge-seg",
        )


def check_runtimes(runtimes: Sequence[Runtime]) -> Iterator[Finding]:
    """No runtime, one that cannot load the model, or one whose delegate takes nothing."""
    installed = [runtime for runtime in runtimes if runtime.version]
    if not installed:
        yield problem("no inference runtime is installed", "pip install 'edge-seg[litert]'")
    for runtime in installed:
        if runtime.error:
            yield problem(f"{runtime.name} cannot load the shipped model: {runtime.error}", _REINSTALL)
        elif runtime.nodes and not runtime.delegated:
            yield warning(
                f"XNNPACK takes none of the shipped model's {runtime.nodes} nodes in {runtime.name}: it will be slow",
                _REINSTALL,
            )


def check_opencv(opencv: OpenCv) -> Iterator[Finding]:
    """OpenCV that cannot be imported."""
    if opencv.error:
        missing_library = ".so" in opencv.error
        yield problem(
            f"OpenCV cannot be imported: {opencv.error}",
            "pip uninstall -y opencv-python && pip install --force-reinstall opencv-python-headless"
            if missing_library
            else "pip install --force-reinstall opencv-python-headless",
        )


def check_cameras(
    nodes: Sequence[VideoNode], libcamera: Libcamera, board: Board, python: PythonEnvironment
) -> Iterator[Finding]:
    """No camera, one that may not be opened, and CSI cameras that this Python cannot reach."""
    refused = [node for node in nodes if node.role is Role.REFUSED]
    silent = [node for node in nodes if node.role is Role.SILENT]
    if refused:
        yield problem(
            f"this user may not open {', '.join(node.path for node in refused)}",
            f"sudo usermod -aG video {user_name()}  and log in again",
        )
    if silent:
        yield warning(
            f"{', '.join(node.path for node in silent)} gives no answer",
            "unplug the camera and plug it in again; then  sudo dmesg | tail",
        )
    if board.is_raspberry_pi:
        yield from _check_libcamera(nodes, libcamera, python)
    if not refused and not libcamera.cameras and not any(node.role is Role.CAMERA for node in nodes):
        yield warning(
            "no camera that can be used was found",
            "plug in a USB camera, or give a stream: edge-seg camera --source rtsp://...; a CSI camera shows in  "
            "rpicam-hello --list-cameras"
            if board.is_raspberry_pi
            else "plug in a USB camera, or give a stream: edge-seg camera --source rtsp://...",
        )


def _check_libcamera(nodes: Sequence[VideoNode], libcamera: Libcamera, python: PythonEnvironment) -> Iterator[Finding]:
    has_receiver = any(node.role is Role.CSI for node in nodes)
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
            f"the system has picamera2, but the environment {python.prefix} does not see it, so that CSI cameras "
            "cannot be opened",
            f"sed -i 's/^\\(include-system-site-packages\\).*/\\1 = true/' {python.prefix}/pyvenv.cfg",
        )
    elif has_receiver:
        yield warning(
            "picamera2 is not installed, which CSI cameras need",
            "sudo apt install -y --no-install-recommends python3-picamera2",
        )
