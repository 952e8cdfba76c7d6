"""As few layers in float as bring an int8 model within a wanted loss.

Partial quantisation after Wu et al. 2020 (https://arxiv.org/abs/2004.09602, 5.1): from the layer that hurts most
downwards, layers go back to float until the loss fits; then those that turn out not to be needed return to int8.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_seg_convert.layers import Layer

LayerSet = frozenset[int]
"""Positions of operations."""


@dataclass(frozen=True)
class Trial:
    """A set of layers in float, and the loss of mIoU against Keras with it (as a share)."""

    float_layers: LayerSet
    drop: float


def fewest_float_layers(
    groups: Sequence[LayerSet],
    drop_with: Callable[[LayerSet], float],
    target_drop: float,
    most: int,
) -> Trial:
    """Find a small set of layers whose return to float makes the loss fit.

    Args:
        groups: sets of layers that go to float together, the most helpful first; see `float_groups`.
        drop_with: returns the loss with these layers in float; it may be asked for the same set again.
        target_drop: the loss that is wanted.
        most: how many layers may be in float.

    Returns:
        A set that fits, from which no single layer can be taken; when none was found, the best that was tried.
    """
    best = trial = Trial(frozenset(), drop_with(frozenset()))
    for group in groups:
        if trial.drop <= target_drop:
            return _without_needless(trial, groups, drop_with, target_drop)
        wider = trial.float_layers | group
        if wider != trial.float_layers and len(wider) <= most:
            trial = Trial(wider, drop_with(wider))
            best = min(best, trial, key=lambda each: each.drop)
    return _without_needless(trial, groups, drop_with, target_drop) if trial.drop <= target_drop else best


def _without_needless(
    trial: Trial, groups: Sequence[LayerSet], drop_with: Callable[[LayerSet], float], target_drop: float
) -> Trial:
    """Take layers back to int8 one by one, those that were added last first, until none can go."""
    order = list(dict.fromkeys(index for group in groups for index in sorted(group)))
    needed: Trial | None = None
    while needed != trial:
        needed = trial
        for index in reversed([index for index in order if index in needed.float_layers]):
            smaller = trial.float_layers - {index}
            if drop_with(smaller) <= target_drop:
                trial = Trial(smaller, drop_with(smaller))
    return trial


def float_groups(ranking: Sequence[Layer]) -> list[LayerSet]:
    """Put every layer together with those that read it.

    In float alone, a layer would gain nothing: an int8 reader wants its input in int8, so the output would be
    quantised by the same range as before.
    """
    return [frozenset({layer.index}) | layer.readers for layer in ranking]
