"""Counting several models on several cores."""

import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path

from edge_seg_bench.arm64.cores import Core
from edge_seg_bench.arm64.counter import compile_plugin, count_instructions, qemu_version
from edge_seg_bench.arm64.parts import Part
from edge_seg_bench.arm64.programs import check_system
from edge_seg_bench.arm64.report import InstructionCount, InstructionReport, make_report
from edge_seg_bench.arm64.userland import open_userland
from edge_seg_bench.assembly import display_names


@dataclass(frozen=True)
class Wanted:
    """What to count: each part of one frame's work, with each model, on each core."""

    models: tuple[Path, ...]
    cores: tuple[Core, ...]
    parts: tuple[Part, ...]
    runtime: str


def count_all(wanted: Wanted, folder: Path, announce: Callable[[str], None]) -> InstructionReport:
    """Count all cores of the first model, then those of the next; as many at once as there are processors here.

    Args:
        wanted: what to count.
        folder: where userlands are kept.
        announce: told before something that takes long.

    Raises:
        BenchmarkError: something is absent that this needs, or a model does not run.
    """
    check_system()
    version = qemu_version()
    with tempfile.TemporaryDirectory(prefix="edge-seg-arm64-") as scratch:
        plugin = compile_plugin(Path(scratch), version)
        userland = open_userland(wanted.runtime, folder, announce)

        def count(named: tuple[Path, str], core: Core) -> list[InstructionCount]:
            announce(f"{named[1]} as {core.title}, {core.board}")
            return count_instructions(userland, plugin, core, wanted.runtime, *named, wanted.parts)

        pairs = list(product(zip(wanted.models, display_names(wanted.models), strict=True), wanted.cores))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            counts = list(chain.from_iterable(pool.map(count, *zip(*pairs, strict=True))))
    return make_report(version, wanted.runtime, userland.libraries, counts)
