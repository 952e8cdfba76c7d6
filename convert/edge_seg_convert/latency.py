"""What variants of one model cost against each other, measured on this machine."""

import random
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edge_seg.runtimes import Engine, load_engine

ROUNDS = 100
WARM_UP_ROUNDS = 10


def interleaved_medians_ms(models: Mapping[str, Path], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median milliseconds of one inference of each model, on one thread and random bytes.

    Every round runs each model once, in another order each time. The clock is that of the thread: what the machine
    does meanwhile for others, which in such short spans would drown the differences, does not count.
    """
    engines = {name: load_engine(path) for name, path in models.items()}
    for engine in engines.values():
        spec = engine.inputs[0]
        engine.set_input(np.random.default_rng(0).integers(0, 256, spec.shape, np.uint8))
    shuffle = random.Random(0)
    samples_ms: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(WARM_UP_ROUNDS + rounds):
        for name in shuffle.sample(list(models), len(models)):
            samples_ms[name].append(_inference_ms(engines[name]))
    return {name: float(np.median(samples[WARM_UP_ROUNDS:])) for name, samples in samples_ms.items()}


def _inference_ms(engine: Engine) -> float:
    began = time.thread_time()
    engine.invoke()
    return 1000 * (time.thread_time() - began)
