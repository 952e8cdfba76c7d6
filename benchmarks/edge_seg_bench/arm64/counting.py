"""Counting several models on several cores."""

import tempfile
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

from edge_seg_bench.arm64.cores import Core
from edge_seg_bench.arm64.counter import compile_plugin, count_instructions, qemu_version
from edge_seg_bench.arm64.programs import check_system
from edge_seg_bench.arm64.report import InstructionCount, InstructionReport, make_report
from edge_seg_bench.arm64.userland import open_userland
from edge_seg_bench.assembly import display_names


def count_all(
    models: Sequence[Path], cores: Sequence[Core], runtime: str, folder: Path, announce: Callable[[str], None]
) -> InstructionReport:
    """Count every model on every core: all cores of the first model, then those of the next.

    Raises:
        BenchmarkError: something is absent that this needs, or a model does not run.
    """
    check_system()
    version = qemu_version()
    with tempfile.TemporaryDirectory(prefix="edge-seg-arm64-") as scratch:
        plugin = compile_plugin(Path(scratch), version)
        userland = open_userland(runtime, folder, announce)
        counts: list[InstructionCount] = []
        for (model, name), core in product(zip(models, display_names(models), strict=True), cores):
            announce(f"{name} as {core.title}, {core.board}")
            counts.append(count_instructions(userland, plugin, core, runtime, model, name))
    return make_report(version, runtime, counts)
