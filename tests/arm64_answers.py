"""What models answer to pictures, written as one .npz; run natively and, emulated, as a board does.

python arm64_answers.py OUT RUNTIME PICTURES MODEL...
"""

import sys
from pathlib import Path

import numpy as np

from edge_seg import Segmenter, read_image


def main(out: str, runtime: str, pictures: str, *models: str) -> None:
    answers: dict[str, np.ndarray] = {}
    for model in map(Path, models):
        segmenter = Segmenter.load(model, runtime=runtime)
        for picture in sorted(Path(pictures).iterdir()):
            raw = segmenter.infer(segmenter.prepare(read_image(picture)))
            answers[f"{model.stem}/{picture.stem}/scores"] = raw.tensor
            answers[f"{model.stem}/{picture.stem}/classes"] = segmenter.finish(raw).class_map
    np.savez(out, **answers)  # pyright: ignore[reportArgumentType]


main(*sys.argv[1:])
