"""Scores one model on a data set in one process, `python -m edge_seg_bench.accuracy_worker`: see accuracy_messages.py.

The scores are those of `edge_seg.evaluate`, at the pictures' own size.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from edge_seg.dataset import Dataset, Sample
from edge_seg.evaluate import Tally
from edge_seg.images import ClassMap, read_mask, write_mask
from edge_seg.segmenter import Segmenter
from edge_seg_bench.accuracy_messages import (
    ACCURACY_REQUESTS,
    OpenScoring,
    PictureScored,
    ScorePicture,
    ScoringOpened,
    SummedUp,
    SumUp,
)
from edge_seg_bench.answering import Answer, answer_lines, answer_stdin


@dataclass(frozen=True)
class _Scoring:
    tally: Tally
    samples: Mapping[str, Sample]
    ignore_id: int


def compare(truth: ClassMap, class_map: ClassMap, reference: ClassMap | None, ignore_id: int) -> PictureScored:
    """Count the pixels that are not ignored and those of them with the reference's class; all maps are [h, w]."""
    counted = truth != ignore_id
    agreeing = None if reference is None else int(np.count_nonzero((class_map == reference) & counted))
    return PictureScored(int(np.count_nonzero(counted)), agreeing)


def _begin(request: OpenScoring) -> tuple[_Scoring, Answer]:
    dataset = Dataset.open(Path(request.data))
    segmenter = Segmenter.load(request.model, runtime=request.runtime, threads=request.threads)
    samples = {sample.name: sample for sample in dataset.samples(request.split)}
    return _Scoring(Tally(segmenter, dataset), samples, dataset.ignore_id), asdict(ScoringOpened())


def _answer(scoring: _Scoring, request: ScorePicture | SumUp) -> Answer:
    return asdict(_sum_up(scoring.tally) if isinstance(request, SumUp) else _score(scoring, request))


def _score(scoring: _Scoring, request: ScorePicture) -> PictureScored:
    compared = scoring.tally.add(scoring.samples[request.name])
    if request.keep is not None:
        write_mask(Path(request.keep), compared.class_map)
    reference = None if request.reference is None else read_mask(Path(request.reference))
    return compare(compared.truth, compared.class_map, reference, scoring.ignore_id)


def _sum_up(tally: Tally) -> SummedUp:
    evaluation = tally.evaluation()
    iou = {name: None if math.isnan(value) else value for name, value in evaluation.iou_by_class.items()}
    return SummedUp(evaluation.images, evaluation.scores.miou, iou)


if __name__ == "__main__":
    answer_stdin(partial(answer_lines, kinds=ACCURACY_REQUESTS, begin=_begin, answer=_answer))
