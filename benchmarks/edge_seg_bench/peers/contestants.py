"""Which models are measured: those that ship, the same weights elsewhere, the tutorial's, other people's."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge_seg.errors import BenchmarkError
from edge_seg_bench.converted import existing_file, run_name
from edge_seg_bench.peers.descriptions import Description, check_folder, why_not

Group = Literal["shipped", "tutorial", "weights", "others"]
TUTORIAL = "the tutorial's network, float32, converted by edge-seg"
STOCK_TUTORIAL = "the tutorial's network, float32, stock conversion"
LITERT, TFLITE_RUNTIME, OPENVINO, ONNXRUNTIME = "litert", "tflite_runtime", "openvino", "onnxruntime"

_CONVERT = "edge-seg convert RUN --out FOLDER --to tflite --to onnx --precision float32 --precision int8"


@dataclass(frozen=True)
class Contestant:
    """A model file, the runtimes it is measured in, and what is known of it beforehand."""

    path: Path
    title: str
    group: Group
    runtimes: tuple[str, ...] = (LITERT,)
    description: Description | None = None
    weights: Path | None = None
    """The .tflite file of the same weights in the same precision, whose answers in LiteRT are the right ones."""
    refusal: str | None = None
    """Why it is not measured, in a sentence."""


def all_contestants(
    shipped: Sequence[Path],
    runs: Sequence[Path],
    tutorial: Path | None,
    stock_tutorial: Path | None,
    descriptions: Sequence[Description],
    peers: Path,
) -> tuple[Contestant, ...]:
    """Return the contestants in the order of the tables.

    Args:
        shipped: .tflite files that ship with the package, or will.
        runs: folders that `edge-seg convert` wrote; see `same_weights`.
        tutorial, stock_tutorial: the tutorial's float32 network, converted by us and without us.
        descriptions: of other people's models.
        peers: the folder that holds those.

    Raises:
        BenchmarkError: a file or folder that is not there, or a model given twice.
    """
    check_folder(peers)
    contestants = (
        *(Contestant(path, path.stem, "shipped") for path in shipped),
        *tutorials({TUTORIAL: tutorial, STOCK_TUTORIAL: stock_tutorial}),
        *(model for folder in runs for model in same_weights(folder)),
        *(other_model(description, peers) for description in descriptions),
    )
    check_are_files(path for path in (*shipped, tutorial, stock_tutorial) if path is not None)
    check_differ([item.path.resolve() for item in contestants])
    return contestants


def check_are_files(paths: Iterable[Path]) -> None:
    """Raise BenchmarkError for a path that is no file."""
    for path in paths:
        if not path.is_file():
            raise BenchmarkError(f"{path}: no such file; give a .tflite model that is there")


def check_differ(paths: Sequence[Path]) -> None:
    """Raise BenchmarkError for a path that is there twice."""
    for path in paths:
        if paths.count(path) > 1:
            raise BenchmarkError(f"{path}: is given twice; give each model once")


def tutorials(given: dict[str, Path | None]) -> Iterator[Contestant]:
    """Yield the contestants of those that are given, by title."""
    for title, path in given.items():
        if path is not None:
            yield Contestant(path, title, "tutorial")


def same_weights(folder: Path) -> Sequence[Contestant]:
    """Return a run's float32 and int8 models in all runtimes that read .tflite, and its ONNX model.

    Raises:
        BenchmarkError: models of no run or of several, or a file that is absent.
    """
    name, tflite = run_name(folder, _CONVERT), (LITERT, TFLITE_RUNTIME, OPENVINO)
    float32, int8, onnx = (
        existing_file(folder / f"{name}{ending}", _CONVERT) for ending in ("_float32.tflite", "_int8.tflite", ".onnx")
    )
    return [
        Contestant(float32, float32.stem, "weights", tflite, weights=float32),
        Contestant(int8, int8.stem, "weights", tflite, weights=int8),
        Contestant(onnx, onnx.name, "weights", (ONNXRUNTIME,), weights=float32),
    ]


def other_model(description: Description, folder: Path) -> Contestant:
    """Return a described model; one that is absent, or another version, is refused in a sentence."""
    path = folder / description.file
    return Contestant(path, description.title, "others", description=description, refusal=why_not(description, folder))
