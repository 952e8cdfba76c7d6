"""What the camera itself asks of its board while it runs; `edge_seg.doctor` reads the rest."""

from pathlib import Path

from edge_seg.doctor.board import read_board
from edge_seg.doctor.kernel_files import ROOT
from edge_seg.doctor.power import Throttling, read_temperature_c, read_throttling
from edge_seg.doctor.processor import read_processor


def board_model(root: Path = ROOT) -> str:
    """The board's name, such as 'Raspberry Pi 5 Model B Rev 1.0'; empty on a PC."""
    return read_board(root).model


def cpu_model(root: Path = ROOT) -> str:
    """The processor's name, such as 'Cortex-A72'."""
    return read_processor(root).name


def temperature_c(root: Path = ROOT) -> float | None:
    """The processor's temperature in °C, where the kernel tells it."""
    return read_temperature_c(root)


def throttling(root: Path = ROOT) -> tuple[str, ...] | None:
    """What holds a Raspberry Pi back now or did since boot, from sysfs alone; None where that cannot be read."""
    found = read_throttling(root, ask=str)
    return None if found is None else found.sentences


def throttle_reasons(bits: int) -> tuple[str, ...]:
    """Spell out the Raspberry Pi firmware's `get_throttled` bits."""
    return Throttling(bits).sentences
