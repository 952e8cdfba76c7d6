"""What models are given: random values for latency, a generated photograph for answers."""

from typing import TYPE_CHECKING

from edge_seg.runtimes import TensorSpec
from edge_seg.runtimes.engine import Tensor

if TYPE_CHECKING:
    from edge_seg.images import RgbImage

_INPUT_SEED = 0
_PHOTOGRAPH_SEED = 0


def random_input(spec: TensorSpec, seed: int = _INPUT_SEED) -> Tensor:
    """Return seeded random values for an input: [0, 1) for floats, the dtype's whole range for integers."""
    import numpy as np

    generator = np.random.default_rng(seed)
    if spec.dtype.kind == "f":
        return generator.random(spec.shape).astype(spec.dtype)
    limits = np.iinfo(spec.dtype)
    return generator.integers(limits.min, limits.max, size=spec.shape, dtype=spec.dtype, endpoint=True)


def photograph(height: int, width: int, number: int = 0) -> "RgbImage":
    """Return a picture like a photograph, [height, width, 3] uint8 RGB; each number has its own, always the same."""
    from edge_seg.synthetic import generate_picture

    image, _ = generate_picture(max(height, width), seed=_PHOTOGRAPH_SEED, number=number)
    return image[:height, :width]
