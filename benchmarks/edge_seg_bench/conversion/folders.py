"""Which models are measured: folders that `edge-seg convert` wrote, each with its stock conversion."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from edge_seg.errors import BenchmarkError
from edge_seg.model_info import Precision
from edge_seg_bench.conversion.peer_worker import PEER_WORKER, PEERS
from edge_seg_bench.measurement import Candidate
from edge_seg_bench.worker_process import TFLITE_WORKER

Conversion = Literal["edge-seg", "stock"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
STOCK_PRECISIONS: tuple[Precision, ...] = ("float32", "int8")

_SUFFIX = "_int8.tflite"
_COMMAND = "edge-seg convert RUN --out FOLDER"
_STOCK_COMMAND = (
    "edge-seg convert RUN --out FOLDER --precision float32 --precision int8 --rewrite off --quantizer tensorflow"
)
_ONNX_COMMAND = "edge-seg convert RUN --out FOLDER --to onnx"


@dataclass(frozen=True)
class Contender:
    """One row of the table: a model file in a runtime."""

    conversion: Conversion
    runtime: str
    precision: Precision
    model: Path

    def candidate(self, threads: int) -> Candidate:
        """How it is measured."""
        return Candidate(self.model, self.runtime, threads, PEER_WORKER if self.runtime in PEERS else TFLITE_WORKER)

    @property
    def is_reference(self) -> bool:
        """Whether the others are compared with it: OpenVINO on the stock int8 conversion."""
        return (self.conversion, self.runtime, self.precision) == ("stock", "openvino", "int8")


@dataclass(frozen=True)
class Network:
    """A run's models; all its contenders are measured side by side."""

    name: str
    contenders: tuple[Contender, ...]


def pair_folders(folders: Sequence[Path], stock_folders: Sequence[Path]) -> tuple[Network, ...]:
    """Return a network for each folder and the stock folder at its place.

    Raises:
        BenchmarkError: not as many of one as of the other, folders of different runs, or a file that is absent.
    """
    if len(folders) != len(stock_folders):
        raise BenchmarkError(
            f"{len(folders)} folders and {len(stock_folders)} stock folders; give --stock once for each folder, "
            "in the same order"
        )
    return tuple(pair(folder, stock) for folder, stock in zip(folders, stock_folders, strict=True))


def pair(folder: Path, stock: Path) -> Network:
    """Return the contenders of a run: our files in LiteRT, then the stock conversion in LiteRT and the peers."""
    name = run_name(folder, _COMMAND)
    if (stock_name := run_name(stock, _STOCK_COMMAND)) != name:
        raise BenchmarkError(
            f"{folder} holds models of the run '{name}' and {stock} of '{stock_name}'; give both in the same order"
        )
    ours = _models(folder, name, PRECISIONS, _COMMAND)
    stocks = _models(stock, name, STOCK_PRECISIONS, _STOCK_COMMAND)
    onnx = _existing(stock / f"{name}.onnx", _ONNX_COMMAND)
    return Network(
        name,
        (
            *(Contender("edge-seg", "litert", key, path) for key, path in ours.items()),
            *(Contender("stock", "litert", key, path) for key, path in stocks.items()),
            *(Contender("stock", "openvino", key, path) for key, path in stocks.items()),
            Contender("stock", "onnxruntime", "float32", onnx),
        ),
    )


def run_name(folder: Path, command: str) -> str:
    """Return the run that a folder's models came from, by the name of its int8 model; `command` would write one."""
    names = sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))
    if len(names) != 1:
        held = ", ".join(names) or "none"
        raise BenchmarkError(
            f"{folder}: holds int8 models of {len(names)} runs ({held}), and one is measured; type  {command}"
        )
    return names[0]


def _models(folder: Path, name: str, precisions: Sequence[Precision], command: str) -> dict[Precision, Path]:
    return {key: _existing(folder / f"{name}_{key}.tflite", command) for key in precisions}


def _existing(path: Path, command: str) -> Path:
    if not path.is_file():
        raise BenchmarkError(f"{path}: no such file; type  {command}")
    return path
