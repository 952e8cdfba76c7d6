"""Counting the instructions of one frame on an emulated core."""

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.arm64.cores import Core
from edge_seg_bench.arm64.marks import instructions_between
from edge_seg_bench.arm64.parts import RUNS, Part
from edge_seg_bench.arm64.programs import COMPILER, QEMU, require_program, run
from edge_seg_bench.arm64.report import InstructionCount
from edge_seg_bench.arm64.userland import Userland

_SOURCE = Path(__file__).with_name("instruction_counter.c")
_VERSION = re.compile(r"version (\d+)\.(\d+)(?:\.\d+)?")


def qemu_version() -> str:
    """Return the version of QEMU's aarch64 emulator, e.g. "7.2.22"."""
    said = run([require_program(QEMU), "--version"], doing="asking QEMU for its version")
    found = _VERSION.search(said)
    if found is None:
        raise BenchmarkError(f"{QEMU} --version said '{said.strip()[:60]}', which names no version; install qemu-user")
    return found[0].removeprefix("version ")


def plugin_api(version: str) -> int:
    """Return the plugin API version that a QEMU takes: 1, or 2 from 9.0 on, which refuses older ones."""
    return 2 if int(version.partition(".")[0]) >= 9 else 1


def compile_plugin(folder: Path, version: str) -> Path:
    """Compile the plugin for a QEMU of `version` into `folder`.

    Raises:
        BenchmarkError: no compiler, or a QEMU without plugins.
    """
    compiler = require_program(COMPILER)
    if "-plugin" not in run([require_program(QEMU), "-h"], doing="asking QEMU for its options"):
        raise BenchmarkError(
            f"{QEMU} {version} was built without plugins, as Debian's are from Debian 13 on, and cannot count; "
            "use the qemu-user of Debian 12, or build QEMU with --enable-plugins"
        )
    plugin = folder / "instruction_counter.so"
    define = f"-DAPI_VERSION={plugin_api(version)}"
    command = [compiler, "-O2", "-fPIC", "-shared", define, "-o", str(plugin), str(_SOURCE)]
    run(command, doing="compiling the counter")
    return plugin


def count_instructions(
    userland: Userland, plugin: Path, core: Core, runtime: str, model: Path, name: str, parts: Sequence[Part]
) -> list[InstructionCount]:
    """Count the instructions of each of the `parts` of one frame with `model` on `core`, at one thread.

    Repeatable to less than 0.1 %, the network to 0.001 %; Python's call of a part, about 2,000 instructions, is in it.

    Args:
        userland: the emulated Python.
        plugin: see `compile_plugin`; its folder gets the log.
        core: what is emulated.
        runtime: one of edge_seg.runtimes.RUNTIMES, as the userland has it.
        model: a .tflite file.
        name: what the counts call it.
        parts: without any twice.

    Raises:
        BenchmarkError: the model does not run there.
    """
    with tempfile.NamedTemporaryFile(dir=plugin.parent, prefix=core.name, suffix=".log") as log:
        said = userland.run(
            core,
            ["-m", "edge_seg_bench.arm64.guest", runtime, str(model.resolve()), *parts],
            doing=f"running {model} as {core.title}",
            qemu_options=["-plugin", str(plugin), "-d", "plugin", "-D", log.name],
        )
        runs = instructions_between(Path(log.name).read_text(encoding="utf-8", errors="replace"))
    if len(runs) != RUNS * len(parts):
        raise BenchmarkError(
            f"{QEMU} counted {len(runs)} and not {RUNS * len(parts)} times for {model} as {core.title}; "
            "check that it runs with -d plugin"
        )
    size_bytes, of_model = model.stat().st_size, json.loads(said)
    return [
        InstructionCount(
            model=name,
            size_bytes=size_bytes,
            core=core.name,
            part=part,
            runs=runs[number * RUNS : (number + 1) * RUNS],
            **of_model,
        )
        for number, part in enumerate(parts)
    ]
