"""Which faults come, in what order and for how long: decided by a seed alone."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_PAUSE_S = (1.0, 4.0)
_LASTS_S = (1.0, 6.0)
_IN_PAIRS = 0.3


@dataclass(frozen=True)
class PlannedFault:
    """One or two faults at a time."""

    names: tuple[str, ...]
    after_s: float
    """Quiet time before it."""
    lasts_s: float


def plan_faults(stream: Sequence[str], outlets: Sequence[str], seed: int) -> Iterator[PlannedFault]:
    """Give faults without end: all of them in a random order, then all of them in another, and so on.

    Args:
        stream: faults of the stream.
        outlets: faults of what the camera writes to or serves; now and then one comes together with one of the stream.
        seed: the same seed gives the same faults.
    """
    chance = random.Random(seed)
    while True:
        names = [*stream, *outlets]
        chance.shuffle(names)
        for name in names:
            others = outlets if name in stream else stream
            pair = (name, chance.choice(others)) if chance.random() < _IN_PAIRS else (name,)
            yield PlannedFault(pair, round(chance.uniform(*_PAUSE_S), 2), round(chance.uniform(*_LASTS_S), 2))
