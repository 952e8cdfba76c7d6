"""Everything the doctor reads, and the findings it makes of that."""

from dataclasses import dataclass
from pathlib import Path

from edge_seg.doctor import checks
from edge_seg.doctor.board import Board, read_board
from edge_seg.doctor.camera_checks import check_cameras
from edge_seg.doctor.cameras import Libcamera, VideoNode, read_libcamera, read_video_nodes
from edge_seg.doctor.clock import Clock, read_clock
from edge_seg.doctor.finding import Finding, Level
from edge_seg.doctor.kernel_files import ROOT
from edge_seg.doctor.power import Throttling, read_temperature_c, read_throttling
from edge_seg.doctor.processor import Processor, read_processor
from edge_seg.doctor.software import (
    OpenCv,
    PythonEnvironment,
    Runtime,
    extras_installed,
    read_opencv,
    read_python,
    read_runtimes,
)
from edge_seg.doctor.storage import Disk, Memory, read_disk, read_memory
from edge_seg.shipped import shipped_models


@dataclass(frozen=True)
class Machine:
    """The board, its parts and its system."""

    board: Board
    processor: Processor
    memory: Memory
    disk: Disk
    temperature_c: float | None
    throttling: Throttling | None
    clock: Clock


@dataclass(frozen=True)
class Software:
    """What the program runs on."""

    python: PythonEnvironment
    runtimes: tuple[Runtime, ...]
    opencv: OpenCv
    extras: dict[str, bool]
    models: tuple[str, ...]


@dataclass(frozen=True)
class Examination:
    """All readings of one call."""

    machine: Machine
    software: Software
    nodes: tuple[VideoNode, ...]
    libcamera: Libcamera

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, problems first."""
        machine, software = self.machine, self.software
        found = (
            *checks.check_board(machine.board),
            *checks.check_power(machine.throttling, machine.temperature_c, machine.board),
            *checks.check_memory(machine.memory, machine.board),
            *checks.check_disk(machine.disk),
            *checks.check_clock(machine.clock),
            *checks.check_python(software.python),
            *checks.check_runtimes(software.runtimes, software.python),
            *checks.check_opencv(software.opencv, software.python),
            *check_cameras(self.nodes, self.libcamera, machine.board, software.python),
        )
        return tuple(sorted(found, key=lambda finding: finding.level is Level.WARNING))


def examine(root: Path = ROOT, folder: Path | None = None) -> Examination:
    """Read it all.

    Args:
        root: where /proc, /sys, /dev and /etc are looked up.
        folder: whose disk is looked at; the working directory when left out.
    """
    return Examination(
        _read_machine(root, folder or Path.cwd()), _read_software(), read_video_nodes(root), read_libcamera(root)
    )


def _read_machine(root: Path, folder: Path) -> Machine:
    return Machine(
        board=read_board(root),
        processor=read_processor(root),
        memory=read_memory(root),
        disk=read_disk(folder, root),
        temperature_c=read_temperature_c(root),
        throttling=read_throttling(root),
        clock=read_clock(root),
    )


def _read_software() -> Software:
    models = shipped_models()
    return Software(
        python=read_python(),
        runtimes=read_runtimes(models[0] if models else None),
        opencv=read_opencv(),
        extras=extras_installed(),
        models=tuple(path.name for path in models),
    )
