"""Runs a model over pictures with truth and asks whether it knew where it was wrong."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_seg.collecting.selection import RunningShare
from edge_seg.dataset import Dataset, Sample
from edge_seg.errors import ModelError
from edge_seg.evaluate import check_same_classes
from edge_seg.metrics import confusion_matrix, scores
from edge_seg.segmenter import Segmenter
from edge_seg_bench.collecting.measures import CHOSEN, MEASURES
from edge_seg_bench.collecting.result import Correlation, MeasureResult, ModelResult, PictureRow

Numbers = NDArray[np.float64]

BARS = (0.1, 0.2, 0.3, 0.4, 0.5)
_BOOTSTRAPS = 2000
_ORDERS = 20


def measure_model(model: Path, folder: Path, split: str, picked_share: float) -> ModelResult:
    """Measure one model on one split of a data set.

    Raises:
        ModelError: the model cannot be run, gives no scores, or knows other classes.
        DatasetError: the data set cannot be read.
    """
    segmenter, dataset = Segmenter.load(model), Dataset.open(folder)
    check_same_classes(segmenter, dataset)
    rows = [_picture(segmenter, dataset, sample) for sample in dataset.samples(split)]
    chosen = np.array([row.unsure[CHOSEN] for row in rows])
    return ModelResult(
        model=segmenter.name,
        data=dataset.manifest.name,
        miou=float(np.mean([row.miou for row in rows])),
        error=float(np.mean([row.error for row in rows])),
        measures=tuple(judge(name, rows, picked_share) for name in MEASURES),
        kept_by_bar={f"{bar:g}": float(np.mean(chosen >= bar)) for bar in BARS},
        kept_by_share=kept_by_running_share(chosen),
        pictures=tuple(rows),
    )


def _picture(segmenter: Segmenter, dataset: Dataset, sample: Sample) -> PictureRow:
    image, truth = dataset.read(sample)
    segmentation = segmenter.segment(image)
    if segmentation.scores is None:
        raise ModelError(f"the answer of '{segmenter.name}' is class ids; take a model that gives scores")
    reached = scores(confusion_matrix(truth, segmentation.class_map, len(segmenter.classes), dataset.ignore_id))
    unsure = {name: measure(segmentation.scores) for name, measure in MEASURES.items()}
    return PictureRow(name=sample.name, miou=reached.miou, error=1 - reached.pixel_accuracy, unsure=unsure)


def judge(name: str, rows: Sequence[PictureRow], picked_share: float) -> MeasureResult:
    """Return what the measure `name` is worth on these pictures, of which the least sure share is picked."""
    unsure = np.array([row.unsure[name] for row in rows])
    missed, error = (np.array(values) for values in ([1 - row.miou for row in rows], [row.error for row in rows]))
    picked = np.argsort(-unsure, kind="stable")[: max(1, round(picked_share * len(rows)))]
    return MeasureResult(
        name=name,
        with_miou=correlate(unsure, missed),
        with_error=correlate(unsure, error),
        picked_miou=float(1 - missed[picked].mean()),
        picked_error=float(error[picked].mean()),
    )


def correlate(first: Numbers, second: Numbers, *, seed: int = 0) -> Correlation:
    """Return Spearman's rank correlation of two arrays [n], with a bootstrap interval (Efron & Tibshirani 1993)."""
    random = np.random.default_rng(seed)
    draws = random.integers(0, len(first), (_BOOTSTRAPS, len(first)))
    low, high = np.nanpercentile([spearman(first[draw], second[draw]) for draw in draws], (2.5, 97.5))
    return Correlation(rho=spearman(first, second), low=float(low), high=float(high))


def spearman(first: Numbers, second: Numbers) -> float:
    """Return the correlation of ranks, equal values sharing theirs (Spearman 1904); NaN for a constant."""
    ranks = np.array([_ranks(first), _ranks(second)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    size = float(np.sqrt((ranks**2).sum(axis=1).prod()))
    return float(ranks[0] @ ranks[1]) / size if size else float("nan")


def _ranks(values: Numbers) -> Numbers:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def kept_by_running_share(unsure: Numbers) -> float:
    """Return the share of a stream that the collector's rule keeps, the mean over random orders."""
    random = np.random.default_rng(0)
    kept = 0
    for _ in range(_ORDERS):
        rule = RunningShare()
        kept += sum(rule.add(float(value)) for value in random.permutation(unsure))
    return kept / (_ORDERS * len(unsure))
