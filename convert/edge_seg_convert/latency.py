"""What models cost against each other, measured on this machine."""

import random
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edge_seg.runtimes import Engine, load_engine

MOST_ROUNDS, FEWEST_ROUNDS = 60, 2
WARM_UP_ROUNDS = 3
BUDGET_SECONDS = 1.0


def interleaved_medians_ms(models: Mapping[str, Path]) -> dict[str, float]:
    """Return the median milliseconds of one inference of each model, on one thread and random bytes.

    It is the thread's own clock, which stands still while other programs have the processor. Every round runs each
    model once, in shuffled order; slow models make do with fewer rounds.
    """
    engines = {name: load_engine(path) for name, path in models.items()}
    for engine in engines.values():
        spec = engine.inputs[0]
        engine.set_input(np.random.default_rng(0).integers(0, 256, spec.shape, np.uint8))
    first_ms = [_inference_ms(engine) for engine in engines.values()]
    rounds = int(np.clip(1000 * BUDGET_SECONDS / sum(first_ms), FEWEST_ROUNDS, MOST_ROUNDS))
    warm_up = WARM_UP_ROUNDS if rounds > 2 * WARM_UP_ROUNDS else 0
    turns, names = random.Random(0), list(engines)
    samples_ms: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(warm_up + rounds):
        turns.shuffle(names)
        for name in names:
            samples_ms[name].append(_inference_ms(engines[name]))
    return {name: float(np.median(samples[warm_up:])) for name, samples in samples_ms.items()}


def _inference_ms(engine: Engine) -> float:
    began = time.thread_time()
    engine.invoke()
    return 1000 * (time.thread_time() - began)
