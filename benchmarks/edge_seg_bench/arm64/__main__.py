"""ARM instructions per frame: `python -m edge_seg_bench.arm64 MODEL...`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.files import check_can_write, write_text
from edge_seg.runtimes import RUNTIMES, check_is_tflite
from edge_seg_bench.arm64.cores import CORES, find_core
from edge_seg_bench.arm64.counting import count_all
from edge_seg_bench.arm64.report import report_sentence, report_table
from edge_seg_bench.arm64.userland import default_folder

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
    report = count_all(models, cores, runtime, folder or default_folder(), _announce)
    if out is not None:
        write_text(out, report.model_dump_json(indent=1) + "\n")
    typer.echo("\n".join([*report_table(report), "", report_sentence(report)]))


def _announce(what: str) -> None:
    typer.echo(what, err=True)


if __name__ == "__main__":
    typer.run(reporting(arm64))
