"""From a run folder to self-contained models: export, quantise, verify, gate, write."""

import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from edge_seg.dataset import Dataset
from edge_seg.errors import ConversionError
from edge_seg.files import check_can_write, write_bytes, write_text
from edge_seg.model_info import DataProvenance, ModelInfo, OutputKind, Precision
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_convert import graph, keras_export
from edge_seg_convert.calibration import calibration_images
from edge_seg_convert.metadata import pack
from edge_seg_convert.onnx_model import OnnxModel, write_onnx
from edge_seg_convert.quantisation import quantise
from edge_seg_convert.verification import Verified, verify

PRECISIONS: tuple[Precision, ...] = ("float32", "float16", "dynamic", "int8")
WARNING_DROP, FAILING_DROP = 0.01, 0.03
"""Loss of mIoU against Keras (as a share, 0.01 = one point) that warns, and that fails."""


class Progress(Protocol):
    """What a conversion tells while it goes."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins; `total` steps when they can be counted."""
        ...

    def advance(self) -> None:
        """One step of the stage is done."""
        ...


@dataclass(frozen=True)
class Converted:
    """One model that was made: where it is (None when the gate held it back), its size and what it gave."""

    precision: Precision
    path: Path | None
    size_bytes: int
    verified: Verified
    drop: float
    """Keras's mIoU minus this model's, on the same pictures."""


@dataclass(frozen=True)
class ConversionResult:
    """Keras's own figures and every model made from it."""

    keras: Verified
    models: tuple[Converted, ...]
    onnx: OnnxModel | None = None

    @property
    def held_back(self) -> tuple[Converted, ...]:
        """Models that lost too much and were not written."""
        return tuple(model for model in self.models if model.path is None)


def convert_run(
    run: RunFolder,
    out: Path,
    progress: Progress,
    *,
    precisions: Sequence[Precision] = PRECISIONS,
    data: Path | None = None,
    output: OutputKind = "scores",
    calibration_count: int,
    force: bool = False,
    to_onnx: bool = False,
) -> ConversionResult:
    """Convert a run's best model and write `<run>_<precision>.tflite` files and conversion.json into `out`.

    With `to_onnx`, `<run>.onnx` too, from the float32 .tflite.

    Raises:
        ConversionError: TensorFlow or tf2onnx cannot export the model, or int8 has nothing to calibrate on.
        DatasetError: the data set is gone or its classes are others than the run's.
    """
    config, manifest = run.read_config(), run.read_manifest()
    check_can_write(out)
    if data is None and not config.data.is_dir():
        raise ConversionError(f"{config.data}: the run's data set is gone; name the folder it is in now with --data")
    dataset = Dataset.open(data or config.data)
    if dataset.manifest.class_names != manifest.class_names:
        raise ConversionError(
            f"{dataset.folder}: has the classes {', '.join(dataset.manifest.class_names)}, but the run learned "
            f"{', '.join(manifest.class_names)}; give its own data set with --data"
        )
    for split in ("train", "val"):
        dataset.samples(split)  # before minutes of exporting, tell what is missing
    with tempfile.TemporaryDirectory(prefix="edge-seg-") as name:
        work = Path(name)
        progress.stage("exporting from Keras")
        keras_export.export(run.best_model_path, dataset.folder, work)
        bare = _quantised(work, dataset, config, precisions, output, calibration_count, progress)
        described = {key: _info(run, config, dataset, key, output, work) for key in precisions}
        paths: dict[Precision, Path] = {
            key: _write_temporary(work, key, pack(bare[key], described[key])) for key in precisions
        }
        progress.stage("verifying", len(dataset.samples("val")))
        keras_result, verified = verify(paths, dataset, work / keras_export.MASKS_FOLDER, progress.advance)
        onnx: OnnxModel | None = None
        if to_onnx:
            progress.stage("converting to ONNX")
            info = _info(run, config, dataset, "float32", output, work)
            onnx = write_onnx(work / keras_export.FLOAT_MODEL_FILE, info, dataset, out / f"{info.name}.onnx", work)
        names = manifest.class_names
        models = tuple(_finish(bare[key], described[key], verified[key], names, out, force) for key in precisions)
    result = ConversionResult(keras_result, models, onnx)
    write_text(out / "conversion.json", json.dumps(summary(result, names), indent=2) + "\n")
    return result


def _quantised(
    work: Path,
    dataset: Dataset,
    config: RunConfig,
    precisions: Sequence[Precision],
    output: OutputKind,
    calibration_count: int,
    progress: Progress,
) -> dict[Precision, bytes]:
    float_model = (work / keras_export.FLOAT_MODEL_FILE).read_bytes()
    progress.stage("quantising", len(precisions))
    needs_images = "int8" in precisions
    images = (
        calibration_images(dataset, calibration_count, config.height, config.width, config.seed) if needs_images else []
    )
    models: dict[Precision, bytes] = {}
    for precision in precisions:
        model = quantise(float_model, precision, images)
        models[precision] = graph.with_class_map_output(model) if output == "classes" else model
        progress.advance()
    return models


def _info(
    run: RunFolder, config: RunConfig, dataset: Dataset, precision: Precision, output: OutputKind, work: Path
) -> ModelInfo:
    manifest = run.read_manifest()
    versions = json.loads((work / keras_export.VERSIONS_FILE).read_text(encoding="utf-8"))
    training = config.model_dump(mode="json", exclude={"data", "encoder_weights", "start_from", "teacher"})
    return ModelInfo(
        name=run.path.resolve().name,
        classes=manifest.classes,
        input_height=config.height,
        input_width=config.width,
        precision=precision,
        output=output,
        data=DataProvenance(
            name=manifest.name,
            source=manifest.source,
            licence=manifest.licence,
            train_images=len(dataset.samples("train")),
            val_images=len(dataset.samples("val")),
        ),
        training={**training, "encoder_weights": Path(config.encoder_weights).name},
        versions={
            "edge-seg": version("edge-seg"),
            "litert-quantizer": version("litert-quantizer"),
            **versions,
        },
    )


def _write_temporary(work: Path, precision: Precision, model: bytes) -> Path:
    path = work / f"described_{precision}.tflite"
    path.write_bytes(model)
    return path


def _finish(
    bare: bytes,
    info: ModelInfo,
    verified: Verified,
    class_names: Sequence[str],
    out: Path,
    force: bool,
) -> Converted:
    drop = verified.keras_scores.miou - verified.scores.miou
    measured = info.model_copy(update={"metrics": _metrics(verified, class_names)})
    model = pack(bare, measured)
    path = None
    if drop <= FAILING_DROP or force:
        path = out / f"{info.name}_{info.precision}.tflite"
        write_bytes(path, model)
    return Converted(info.precision, path, len(model), verified, drop)


def _metrics(verified: Verified, class_names: Sequence[str]) -> dict[str, float]:
    figures = {
        "miou": verified.scores.miou,
        "pixel_accuracy": verified.scores.pixel_accuracy,
        **{f"iou_{name}": value for name, value in zip(class_names, verified.scores.iou, strict=True)},
        "keras_miou": verified.keras_scores.miou,
        "agreement_with_keras": verified.agreement,
        "pictures": float(verified.pictures),
    }
    return {name: round(value, 5) for name, value in figures.items() if not math.isnan(value)}


def summary(result: ConversionResult, class_names: Sequence[str]) -> dict[str, object]:
    """Say a conversion in plain JSON types, for conversion.json and --json."""
    return {
        "keras_miou": round(result.keras.scores.miou, 5),
        "models": [
            {
                "precision": model.precision,
                "file": model.path.name if model.path else None,
                "size_bytes": model.size_bytes,
                "drop": round(model.drop, 5),
                **_metrics(model.verified, class_names),
            }
            for model in result.models
        ],
        **({"onnx": result.onnx.summary()} if result.onnx else {}),
    }
