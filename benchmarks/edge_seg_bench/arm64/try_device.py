"""Try the device's commands on an emulated board: `python -m edge_seg_bench.arm64.try_device ARGUMENTS OF edge-seg`."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg_bench.arm64.cores import CORES, find_core
from edge_seg_bench.arm64.kernel import open_kernel
from edge_seg_bench.arm64.machine import Machine
from edge_seg_bench.arm64.userland import default_folder, install_wheel, open_userland
from edge_seg_bench.arm64.wheels import build_wheel

_CORE_NAMES = ", ".join(core.name for core in CORES)


def try_device(
    arguments: Annotated[list[str], typer.Argument(metavar="-- ARGUMENTS...", help="What follows edge-seg.")],
    *,
    cpu: Annotated[str, typer.Option(help=f"Core: {_CORE_NAMES}.")] = "cortex-a53",
    memory_mb: Annotated[int, typer.Option(min=128, help="Memory of the board.")] = 512,
    work: Annotated[
        Path | None,
        typer.Option(
            help="Folder that the board starts in, and that gets what it writes.", file_okay=False, exists=True
        ),
    ] = None,
    timeout_s: Annotated[float, typer.Option(help="For all of it; emulation is slow.")] = 600,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where kernel and userland are kept; without it, in your cache.", show_default=False),
    ] = None,
) -> None:
    """Install this project on an emulated arm64 board with a camera at /dev/video0, and run one edge-seg command there.

    Needs Debian on x86-64 with qemu-user, qemu-system-arm, cpio and e2fsprogs, and no root. The camera is the
    kernel's test driver vivid.

    Example:  python -m edge_seg_bench.arm64.try_device --work DIR -- camera --no-window -o e.jsonl
    """
    core, folder = find_core(cpu), folder or default_folder()
    with tempfile.TemporaryDirectory(prefix="edge-seg-device-") as scratch:
        userland = open_userland("litert", folder, _announce)
        installed = install_wheel(userland, build_wheel(Path(scratch)), Path(scratch) / "installed")
        machine = Machine(open_kernel(folder, _announce), installed, core, memory_mb=memory_mb)
        _announce(f"a board with {core.title} and {memory_mb} MB starts")
        place = work or Path(scratch) / "work"
        place.mkdir(exist_ok=True)
        exit_code, console = machine.run(["-m", "edge_seg.cli", *arguments], place, timeout_s=timeout_s)
    typer.echo(console.strip())
    raise typer.Exit(exit_code)


def _announce(what: str) -> None:
    typer.echo(what, err=True)


if __name__ == "__main__":
    typer.run(reporting(try_device))
