"""An examination as rows to read and as a dictionary for JSON."""

from dataclasses import asdict
from typing import Any

from edge_seg import __version__
from edge_seg.doctor.cameras import Libcamera, Role, VideoNode
from edge_seg.doctor.examination import Examination, Machine, Software
from edge_seg.doctor.power import Throttling
from edge_seg.doctor.software import Runtime
from edge_seg.v4l2_ioctl import PixelFormat

Rows = list[tuple[str, str]]
_SHOWN_SIZES = 4
_SHOWN_FORMATS = 4
_PREFERRED = ("MJPG", "YUYV")


def sections(examination: Examination) -> list[tuple[str, Rows]]:
    """Return titles with their rows of name and value."""
    return [
        ("Machine", _machine_rows(examination.machine)),
        ("Software", _software_rows(examination.software)),
        ("Cameras", _camera_rows(examination.nodes, examination.libcamera)),
    ]


def as_dict(examination: Examination) -> dict[str, Any]:
    """Return everything that was read and found, of JSON's types."""
    machine, software = examination.machine, examination.software
    throttling = machine.throttling
    return {
        "edge-seg": __version__,
        "board": machine.board.model or None,
        "system": {**asdict(machine.board)},
        "processor": {
            "name": machine.processor.name,
            "cores": machine.processor.cores,
            "instruction_sets": list(machine.processor.instruction_sets),
        },
        "memory": asdict(machine.memory),
        "disk": asdict(machine.disk),
        "temperature_c": machine.temperature_c,
        "throttling": None if throttling is None else list(throttling.sentences),
        "throttled_bits": None if throttling is None else hex(throttling.bits),
        "clock": asdict(machine.clock),
        "python": asdict(software.python),
        "runtimes": [asdict(runtime) for runtime in software.runtimes],
        "opencv": asdict(software.opencv),
        "extras": software.extras,
        "models": list(software.models),
        "cameras": [asdict(node) for node in examination.nodes],
        "libcamera": asdict(examination.libcamera),
        "findings": [asdict(finding) for finding in examination.findings],
    }


def _machine_rows(machine: Machine) -> Rows:
    board, processor, memory, disk = machine.board, machine.processor, machine.memory, machine.disk
    narrow = ", 32-bit programs" if board.narrow_userland else ""
    sets = ", ".join(processor.instruction_sets) or "no vector instructions known"
    temperature = machine.temperature_c
    return [
        ("board", board.model or "not a device-tree board"),
        ("system", f"{board.os_name}, kernel {board.kernel}, {board.architecture}{narrow}"),
        ("processor", f"{processor.name}, {processor.cores} cores"),
        ("instructions", f"{sets}; {processor.int8_note}"),
        ("memory", f"{memory.total_mb} MB, {memory.available_mb} MB free; swap {memory.swap_mb} MB"),
        ("disk", f"{disk.free_mb / 1000:.1f} of {disk.total_mb / 1000:.1f} GB free in {disk.folder}"),
        ("temperature", "not readable here" if temperature is None else f"{temperature:.1f} °C"),
        ("power", _power(machine.throttling)),
        ("clock", "set by a time server" if machine.clock.synchronised else "not set by a time server"),
    ]


def _power(throttling: Throttling | None) -> str:
    if throttling is None:
        return "not readable here"
    return (
        f"{', '.join(throttling.sentences) or 'neither under-voltage nor throttling since boot'} ({throttling.bits:#x})"
    )


def _software_rows(software: Software) -> Rows:
    python, opencv = software.python, software.opencv
    where = f"environment {python.prefix}" if python.is_venv else f"{python.executable}, no virtual environment"
    sees = ", sees the system's packages" if python.is_venv and python.system_packages else ""
    windows = "with windows" if opencv.windows else "headless, no windows"
    return [
        ("edge-seg", __version__),
        ("python", f"{python.version}, NumPy {python.numpy}, {where}{sees}"),
        *((runtime.name, _runtime(runtime)) for runtime in software.runtimes if runtime.version),
        ("opencv", f"{opencv.version}, {windows}" if opencv.version else opencv.error),
        ("models", ", ".join(software.models) or "none ship with this installation"),
        ("extras", _extras(software.extras)),
    ]


def _extras(extras: dict[str, bool]) -> str:
    installed, absent = (", ".join(name for name in extras if extras[name] is there) for there in (True, False))
    return (installed or "none") + (f"; not installed: {absent}" if absent else "")


def _runtime(runtime: Runtime) -> str:
    if runtime.error:
        return f"{runtime.version}, {runtime.error}"
    taken = f"; XNNPACK takes {runtime.delegated} of {runtime.nodes} nodes of the shipped model"
    return runtime.version + (taken if runtime.nodes else "")


def _camera_rows(nodes: tuple[VideoNode, ...], libcamera: Libcamera) -> Rows:
    rows = [
        (node.path, _node(node)) for node in nodes if node.role in (Role.CAMERA, Role.CSI, Role.REFUSED, Role.SILENT)
    ]
    other = [
        node.path.removeprefix("/dev/") for node in nodes if node.role in (Role.METADATA, Role.CONVERTER, Role.OUTPUT)
    ]
    if other:
        rows.append(("no cameras", f"{', '.join(other)} (metadata, codecs, image processors)"))
    rows.append(("libcamera", _libcamera(libcamera)))
    return rows if nodes else [("V4L2", "no /dev/video*"), *rows]


def _node(node: VideoNode) -> str:
    if node.role is Role.CAMERA:
        return "\n".join((f"{node.name} ({node.driver})", *_formats(node.formats)))
    what = {
        Role.CSI: "ribbon-cable camera, through libcamera",
        Role.REFUSED: "may not be opened",
        Role.SILENT: "gives no answer",
    }
    return f"{node.name or 'unknown'}: {what[node.role]}"


def _formats(formats: tuple[PixelFormat, ...]) -> list[str]:
    """Give a line for each of the formats that matter: a webcam has two or three, a test driver fifty."""
    first = sorted(formats, key=lambda pixels: pixels.fourcc not in _PREFERRED)[:_SHOWN_FORMATS]
    lines = [
        f"{pixels.fourcc} {', '.join(pixels.sizes[:_SHOWN_SIZES])}{' …' * (len(pixels.sizes) > _SHOWN_SIZES)}"
        for pixels in first
    ]
    more = len(formats) - len(first)
    return [*lines, f"and {more} more formats"] if more else lines


def _libcamera(libcamera: Libcamera) -> str:
    if libcamera.importable:
        return ", ".join(libcamera.cameras) or "picamera2 works; no camera is connected"
    return libcamera.error or "picamera2 is not installed" + " in this environment" * libcamera.installed_for_system
