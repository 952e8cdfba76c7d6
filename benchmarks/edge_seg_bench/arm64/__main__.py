"""ARM instructions per frame: `python -m edge_seg_bench.arm64 MODEL...`."""

import tempfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.files import check_can_write, write_text
from edge_seg.runtimes import RUNTIMES, check_is_tflite
from edge_seg_bench.arm64.cores import CORES, Core, find_core
from edge_seg_bench.arm64.counter import compile_plugin, count_instructions, qemu_version
from edge_seg_bench.arm64.programs import check_system
from edge_seg_bench.arm64.report import InstructionCount, InstructionReport, make_report, report_sentence, report_table
from edge_seg_bench.arm64.userland import default_folder, open_userland
from edge_seg_bench.assembly import display_names

_CORE_NAMES = ", ".join(core.name for core in CORES)
_DEFAULT_CORES = ["cortex-a72", "cortex-a76"]


def arm64(
    models: Annotated[list[Path], typer.Argument(metavar="MODEL...", help=".tflite files.")],
    *,
    cpu: Annotated[list[str], typer.Option(help=f"Core, once or more: {_CORE_NAMES}.")] = _DEFAULT_CORES,
    runtime: Annotated[str, typer.Option(help=f"{' or '.join(RUNTIMES)}.")] = "litert",
    out: Annotated[Path | None, typer.Option(help="JSON file.", show_default=False)] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where the arm64 Python is kept; without it, in your cache.", show_default=False),
    ] = None,
) -> None:
    """Count the ARM instructions of one invoke() of each model, on emulated cores of Raspberry Pi boards.

    Needs Debian or Ubuntu on x86-64 with qemu-user and gcc, and no root. The counts are the same on every machine.

    Example:  python -m edge_seg_bench.arm64 models/fire_float32.tflite models/fire_int8.tflite --out arm64.json
    """
    if runtime not in RUNTIMES:
        raise typer.BadParameter(f"no runtime is called '{runtime}'; choose one of {', '.join(RUNTIMES)}")
    models = list(dict.fromkeys(models))
    cores = [find_core(name) for name in dict.fromkeys(cpu)]
    for model in models:
        check_is_tflite(model)
    if out is not None:
        check_can_write(out.parent)
    report = count_all(models, cores, runtime, folder or default_folder())
    if out is not None:
        write_text(out, report.model_dump_json(indent=1) + "\n")
    typer.echo("\n".join([*report_table(report), "", report_sentence(report)]))


def count_all(models: Sequence[Path], cores: Sequence[Core], runtime: str, folder: Path) -> InstructionReport:
    """Count every model on every core.

    Raises:
        BenchmarkError: something is absent that this needs, or a model does not run.
    """
    check_system()
    version = qemu_version()
    with tempfile.TemporaryDirectory(prefix="edge-seg-arm64-") as scratch:
        plugin = compile_plugin(Path(scratch), version)
        userland = open_userland(runtime, folder, _announce)
        counts: list[InstructionCount] = []
        for (model, name), core in product(zip(models, display_names(models), strict=True), cores):
            _announce(f"{name} as {core.title}, {core.board}")
            counts.append(count_instructions(userland, plugin, core, runtime, model, name))
    return make_report(version, runtime, counts)


def _announce(what: str) -> None:
    typer.echo(what, err=True)


if __name__ == "__main__":
    typer.run(reporting(arm64))
