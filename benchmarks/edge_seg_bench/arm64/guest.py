"""Runs emulated, under the plugin instruction_counter.c: marks the beginning and the end of each part of the work.

`python -m edge_seg_bench.arm64.guest RUNTIME MODEL PART...` does each part RUNS times, one part after the other, and
prints one JSON object: the runtime's version and the precision.
"""

import ctypes
import gc
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import cv2

from edge_seg.allocator import keep_freed_memory
from edge_seg.errors import EdgeSegError
from edge_seg.inspection import guess_precision
from edge_seg.runtimes import Engine, load_engine
from edge_seg_bench.arm64.marks import BEGIN, END, MARK
from edge_seg_bench.arm64.parts import RUNS, Part, find_part
from edge_seg_bench.arm64.works import Subject, make_work
from edge_seg_bench.inputs import random_input
from edge_seg_bench.serving import invoke_once
from edge_seg_bench.worker import import_runtime

# Python rewrites the code of what runs often (PEP 659): after so many runs a count changes by less than 0.1 %.
_WARM_UPS: Mapping[Part, int] = {"invoke": 1, "segment": 20, "overlay": 20, "event": 20}


def main(runtime: str, model: str, *parts: str) -> None:
    """Do each part of the work at one thread, after runs that warm it up."""
    version = import_runtime(runtime)
    engine = _load(model, runtime)
    cv2.setNumThreads(1)
    keep_freed_memory()  # as the camera does
    gc.disable()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as closing:
        subject = Subject(engine, Path(model), Path(scratch), closing)
        for part in map(find_part, parts):
            _do_marked(make_work(part, subject), _WARM_UPS[part])
    sys.stdout.write(json.dumps({"runtime_version": version, "precision": guess_precision(engine)}))


def _load(model: str, runtime: str) -> Engine:
    engine = load_engine(Path(model), runtime=runtime, threads=1)
    engine.set_input(random_input(engine.inputs[0]))
    invoke_once(engine, model)
    return engine


def _do_marked(work: Callable[[], object], warm_ups: int) -> None:
    mark = ctypes.CDLL(None).prctl
    for _ in range(warm_ups):
        work()
    for _ in range(RUNS):
        mark(MARK, BEGIN)
        work()
        mark(MARK, END)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except EdgeSegError as error:
        sys.exit(str(error))
