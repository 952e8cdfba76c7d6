"""Rules from readings of the machine to findings. They read nothing: everything they judge is handed in."""

from collections.abc import Iterator, Sequence

from edge_seg.doctor.board import Board
from edge_seg.doctor.clock import Clock
from edge_seg.doctor.finding import Finding, problem, warning
from edge_seg.doctor.power import UNDER_VOLTAGE, Throttling
from edge_seg.doctor.software import OpenCv, PythonEnvironment, Runtime
from edge_seg.doctor.storage import Disk, Memory

_WARM_C, _SLOWS_DOWN_C = 70.0, 80.0  # every Pi slows its processor down from 80 °C on
_SMALL_MEMORY_MB = 700
_NEEDED_MEMORY_MB = 150  # the camera's peak is about 115 MB
_SCARCE_DISK_MB, _FULL_DISK_MB = 1000, 100
_SUPPLIES = {
    "Zero 2": "5 V / 2.5 A",
    "Raspberry Pi 3": "5.1 V / 2.5 A",
    "Raspberry Pi 4": "5.1 V / 3 A",
    "Raspberry Pi 5": "5.1 V / 5 A",
}
_COOL_IT = "cool it (heat sink, fan, shade), or give it less to do with --max-fps"
_NEW_SYSTEM = "write the 64-bit Raspberry Pi OS Lite to the card: a Zero 2 W, 3, 4 and 5 run it"
_FREE_SPACE = "sudo apt clean && sudo journalctl --vacuum-size=50M && sudo du -xh / | sort -h | tail -20"


def check_board(board: Board) -> Iterator[Finding]:
    """A 32-bit system, for which there are hardly any wheels."""
    if board.narrow_userland:
        yield problem(
            f"programs are 32 bits wide under a 64-bit kernel ({board.architecture}): LiteRT has no wheel for that",
            "echo arm_64bit=0 | sudo tee -a /boot/firmware/config.txt && sudo reboot",
            f"{_NEW_SYSTEM}; or boot the 32-bit kernel, for tflite_runtime:",
        )
    elif board.userland_bits == 32:
        yield warning(
            "this is a 32-bit system: only the older tflite_runtime runs on it, with Python 3.11 and NumPy 1",
            advice=_NEW_SYSTEM,
        )


def check_power(throttling: Throttling | None, temperature_c: float | None, board: Board) -> Iterator[Finding]:
    """Under-voltage, which corrupts cards and resets cameras, and heat."""
    now = throttling.now if throttling else ()
    before = throttling.since_boot if throttling else ()
    supply = next((text for name, text in _SUPPLIES.items() if name in board.model), "enough current")
    better = f"use the board's own power supply ({supply}) and a short, thick cable; after a reboot this shows 0x0:"
    if UNDER_VOLTAGE in now:
        what = "the supply voltage is too low at this moment: cameras drop out and cards get corrupted"
        yield problem(what, "vcgencmd get_throttled", better)
    elif UNDER_VOLTAGE in before:
        what = "the supply voltage was too low at times since the board was switched on"
        yield warning(what, "vcgencmd get_throttled", better)
    yield from _check_heat([reason for reason in now if reason != UNDER_VOLTAGE], temperature_c)


def _check_heat(slowed_by: Sequence[str], temperature_c: float | None) -> Iterator[Finding]:
    at = "" if temperature_c is None else f", at {temperature_c:.0f} °C"
    if slowed_by:
        yield warning(f"the firmware slows the processor down ({', '.join(slowed_by)}{at})", advice=_COOL_IT)
    elif temperature_c is not None and temperature_c >= _SLOWS_DOWN_C:
        yield warning(f"the processor is at {temperature_c:.0f} °C: above 80 °C it slows down", advice=_COOL_IT)
    elif temperature_c is not None and temperature_c >= _WARM_C:
        yield warning(f"the processor is at {temperature_c:.0f} °C, near 80 °C, where it slows down", advice=_COOL_IT)


def check_memory(memory: Memory, board: Board) -> Iterator[Finding]:
    """Boards of 512 MB need swap to install and update beside the camera."""
    if 0 < memory.available_mb < _NEEDED_MEMORY_MB:
        yield warning(
            f"only {memory.available_mb} MB of memory are free, and the camera takes up to {_NEEDED_MEMORY_MB}",
            "ps -eo rss,args --sort=-rss | head",
            "end programs that take much:",
        )
    if 0 < memory.total_mb < _SMALL_MEMORY_MB and memory.swap_mb == 0:
        package = "rpi-swap" if board.is_raspberry_pi and board.os_version == "13" else "zram-tools"
        yield warning(
            f"{memory.total_mb} MB of memory and no swap: an update beside the camera can end it",
            f"sudo apt install -y {package} && sudo reboot",
        )


def check_disk(disk: Disk) -> Iterator[Finding]:
    """A disk that is full, read-only, forgets, or wears out."""
    if disk.read_only:
        yield problem(
            f"nothing can be written to {disk.folder}: its file system is mounted read-only",
            "sudo dmesg | grep -i -e ext4 -e mmc",
            "if that was not meant, the kernel found errors on it; else write results to another disk",
        )
    elif disk.volatile:
        yield warning(
            f"what is written to {disk.folder} is lost when the power goes: it lies in memory (overlay or tmpfs)",
            "sudo raspi-config nonint do_overlayfs 1 && sudo reboot",
            "write results to a USB stick, or end the overlay:",
        )
    if disk.errors:
        yield problem(
            f"the file system counted {disk.errors} errors: the card wears out, or was cut off from power",
            advice="copy what you need, and write the system to a new card (a high-endurance one)",
        )
    if disk.free_mb < _FULL_DISK_MB:
        yield problem(f"{disk.folder}: the disk is full, {disk.free_mb} MB are free", _FREE_SPACE)
    elif disk.free_mb < _SCARCE_DISK_MB:
        yield warning(f"{disk.folder}: only {disk.free_mb} MB of disk are free", _FREE_SPACE)


def check_clock(clock: Clock) -> Iterator[Finding]:
    """A clock that nobody set gives wrong time stamps."""
    if not clock.synchronised:
        alone = "" if clock.battery_backed else ", and there is none that runs while the board is off"
        yield warning(
            f"no time server sets the clock{alone}: time stamps may be wrong",
            "sudo timedatectl set-ntp true && timedatectl timesync-status",
        )


def check_python(python: PythonEnvironment) -> Iterator[Finding]:
    """The system's own Python, in which Raspberry Pi OS refuses pip (PEP 668)."""
    if not python.is_venv and python.prefix == "/usr":
        yield warning(
            "this runs in the system's own Python, where pip and apt overwrite each other's packages",
            "sudo python3 -m venv --system-site-packages /opt/edge-seg && sudo /opt/edge-seg/bin/pip install edge-seg",
        )


def check_runtimes(runtimes: Sequence[Runtime], python: PythonEnvironment) -> Iterator[Finding]:
    """No runtime, one that cannot load the model, or one whose delegate takes nothing."""
    reinstall = f"{python.executable} -m pip install --upgrade --force-reinstall edge-seg"
    installed = [runtime for runtime in runtimes if runtime.version]
    if not installed:
        yield problem("no inference runtime is installed", f"{python.executable} -m pip install 'edge-seg[litert]'")
    for runtime in installed:
        if runtime.error:
            yield problem(f"{runtime.name} cannot load the shipped model: {runtime.error}", reinstall)
        elif runtime.nodes and not runtime.delegated:
            what = f"XNNPACK takes none of the shipped model's {runtime.nodes} nodes in {runtime.name}: it will be slow"
            yield warning(what, reinstall)


def check_opencv(opencv: OpenCv, python: PythonEnvironment) -> Iterator[Finding]:
    """OpenCV that cannot be imported, mostly the one with windows on a system without."""
    if opencv.error:
        yield problem(
            f"OpenCV cannot be imported: {opencv.error}",
            f"{python.executable} -m pip uninstall -y opencv-python opencv-python-headless && "
            f"{python.executable} -m pip install opencv-python-headless",
        )
