"""Runs emulated, under the plugin instruction_counter.c: marks the beginning and the end of each `invoke()`.

`python -m edge_seg_bench.arm64.guest RUNTIME MODEL` prints one JSON object: the runtime's version and the precision.
"""

import ctypes
import gc
import json
import sys
from pathlib import Path

from edge_seg.errors import EdgeSegError
from edge_seg.inspection import guess_precision
from edge_seg.runtimes import load_engine
from edge_seg_bench.arm64.marks import BEGIN, END, MARK
from edge_seg_bench.inputs import random_input
from edge_seg_bench.serving import invoke_once
from edge_seg_bench.worker import import_runtime

RUNS = 3


def main(runtime: str, model: str) -> None:
    """Invoke a model RUNS times at one thread, after one run that warms it up."""
    version = import_runtime(runtime)
    engine = load_engine(Path(model), runtime=runtime, threads=1)
    engine.set_input(random_input(engine.inputs[0]))
    invoke_once(engine, model)
    mark = ctypes.CDLL(None).prctl
    gc.disable()
    for _ in range(RUNS):
        mark(MARK, BEGIN)
        engine.invoke()
        mark(MARK, END)
    sys.stdout.write(json.dumps({"runtime_version": version, "precision": guess_precision(engine)}))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except EdgeSegError as error:
        sys.exit(str(error))
