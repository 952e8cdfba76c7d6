"""ARM instructions per frame: `python -m edge_seg_bench.arm64 MODEL...`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.files import check_can_write
from edge_seg.runtimes import RUNTIMES, check_is_tflite
from edge_seg.shipped import shipped_models
from edge_seg_bench.arm64.cores import CORES, find_core
from edge_seg_bench.arm64.counting import Wanted, count_all
from edge_seg_bench.arm64.parts import PARTS, find_part
from edge_seg_bench.arm64.report import report_sentence, report_table, write_report
from edge_seg_bench.arm64.userland import default_folder

_CORE_NAMES = [core.name for core in CORES]
_PART_NAMES: list[str] = list(PARTS)


def arm64(
    models: Annotated[
        list[Path] | None,
        typer.Argument(metavar="MODEL...", help=".tflite files; without any, those that ship.", show_default=False),
    ] = None,
    *,
    cpu: Annotated[list[str], typer.Option(help=f"Core, once or more: {', '.join(_CORE_NAMES)}.")] = _CORE_NAMES,
    part: Annotated[list[str], typer.Option(help=f"Part of the work, once or more: {', '.join(PARTS)}.")] = _PART_NAMES,
    runtime: Annotated[str, typer.Option(help=f"{' or '.join(RUNTIMES)}.")] = "litert",
    out: Annotated[
        Path | None, typer.Option(help="JSON file; a Markdown file goes beside it.", show_default=False)
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where the arm64 Python is kept; without it, in your cache.", show_default=False),
    ] = None,
) -> None:
    """Count the ARM instructions of one frame with each model, on emulated cores of Raspberry Pi boards.

    Needs Debian or Ubuntu on x86-64 with qemu-user and gcc, and no root. The counts are the same on every
    machine that has the same versions of Python, NumPy, OpenCV and the runtime.

    Example:  python -m edge_seg_bench.arm64 models/fire_float32.tflite models/fire_int8.tflite --out arm64.json
    """
    if runtime not in RUNTIMES:
        raise typer.BadParameter(f"no runtime is called '{runtime}'; choose one of {', '.join(RUNTIMES)}")
    wanted = Wanted(
        models=tuple(dict.fromkeys(models or shipped_models())),
        cores=tuple(find_core(name) for name in dict.fromkeys(cpu)),
        parts=tuple(find_part(name) for name in dict.fromkeys(part)),
        runtime=runtime,
    )
    for model in wanted.models:
        check_is_tflite(model)
    if out is not None:
        check_can_write(out.parent)
    report = count_all(wanted, folder or default_folder(), _announce)
    if out is not None:
        write_report(out, report)
    typer.echo("\n".join([*report_table(report), "", report_sentence(report)]))


def _announce(what: str) -> None:
    typer.echo(what, err=True)


if __name__ == "__main__":
    typer.run(reporting(arm64))
