"""What variants of one model cost against each other, measured on this machine."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edge_seg.runtimes import Engine, load_engine

ROUNDS = 100
WARM_UP_ROUNDS = 10


def interleaved_medians_ms(models: Mapping[str, Path], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median milliseconds of one inference of each model, on one thread and random bytes.

    Every round runs each model once, so that a busy machine slows all of them alike.
    """
    engines = {name: load_engine(path) for name, path in models.items()}
    for engine in engines.values():
        spec = engine.inputs[0]
        engine.set_input(np.random.default_rng(0).integers(0, 256, spec.shape, np.uint8))
    samples_ms = [
        {name: _inference_ms(engine) for name, engine in engines.items()} for _ in range(WARM_UP_ROUNDS + rounds)
    ]
    return {name: float(np.median([row[name] for row in samples_ms[WARM_UP_ROUNDS:]])) for name in models}


def _inference_ms(engine: Engine) -> float:
    began = time.perf_counter()
    engine.invoke()
    return 1000 * (time.perf_counter() - began)
