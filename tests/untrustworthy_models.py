"""Models that end, stop or exhaust the process that loads them."""

import numpy as np

from small_graphs import SmallGraph


def crashing() -> bytes:
    """A convolution without weights: mostly SIGSEGV where it is loaded, now and then std::bad_alloc."""
    small = SmallGraph(8, 8, 3)
    output = small.convolution(small.image, np.zeros((3, 3, 3, 3), np.float32), np.zeros(3, np.float32))
    small.model.subgraphs[0].operators[0].inputs[1] = -1
    return small.finished(output)


def hanging() -> bytes:
    """Half a minute of convolutions per picture."""
    return _convolutions(side=512, channels=256, layers=4)


def enormous() -> bytes:
    """A hundred gigabytes of activations."""
    return _convolutions(side=20_000, channels=64, layers=1)


def _convolutions(side: int, channels: int, layers: int) -> bytes:
    small = SmallGraph(side, side, 3)
    tensor = small.from_bytes()
    for depth in [3, *[channels] * (layers - 1)]:
        tensor = small.convolution(
            tensor, np.zeros((channels, 3, 3, depth), np.float32), np.zeros(channels, np.float32)
        )
    weights = np.zeros((3, 1, 1, channels), np.float32)
    return small.finished(small.convolution(tensor, weights, np.zeros(3, np.float32)))
