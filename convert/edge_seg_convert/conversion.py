"""From a run folder to self-contained models: export, quantise, verify, gate, write."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from edge_seg.dataset import Dataset
from edge_seg.errors import ConversionError
from edge_seg.files import check_can_write, write_bytes, write_text
from edge_seg.images import RgbImage
from edge_seg.model_info import DataProvenance, ModelInfo, OutputKind, Precision
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_convert import graph, keras_export
from edge_seg_convert.calibration import calibration_images
from edge_seg_convert.int8_layers import Int8Layers, MixedModel
from edge_seg_convert.layer_errors import LayerError
from edge_seg_convert.layer_report import write_json
from edge_seg_convert.metadata import pack
from edge_seg_convert.quantisation import calibrate, quantise
from edge_seg_convert.results import ConversionResult, Converted, metrics, summary
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
class _Draft:
    """A model that is not written yet: its graph, what it will say of itself, and what it gave."""

    bare: bytes
    info: ModelInfo
    verified: Verified
    mixed: MixedModel | None = None


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
    debug: bool = False,
    target_drop: float | None = None,
) -> ConversionResult:
    """Convert a run's best model and write `<run>_<precision>.tflite` files and conversion.json into `out`.

    With `debug`, `<run>_int8_layers.json` and `.png` say which layers int8 hurts. With `target_drop`, as few layers of
    the int8 model as needed stay in float until it loses no more mIoU than that (as a share).

    Raises:
        ConversionError: TensorFlow cannot export the model, int8 has nothing to calibrate on, or its layers are asked
            for without int8.
        DatasetError: the data set is gone or its classes are others than the run's.
    """
    if (debug or target_drop is not None) and "int8" not in precisions:
        raise ConversionError("--debug and --target-drop are about int8, which is not among the precisions; add it")
    config, names = run.read_config(), run.read_manifest().class_names
    check_can_write(out)
    dataset = _dataset_of(run, data)
    with tempfile.TemporaryDirectory(prefix="edge-seg-") as name:
        work = Path(name)
        progress.stage("exporting from Keras")
        keras_export.export(run.best_model_path, dataset.folder, work)
        images = _calibration_images(dataset, config, precisions, calibration_count)
        bare = _quantised(work, precisions, output, images, progress)
        described = {key: _info(run, config, dataset, key, output, work) for key in precisions}
        paths: dict[Precision, Path] = {
            key: _write_temporary(work, key, pack(bare[key], described[key])) for key in precisions
        }
        progress.stage("verifying", len(dataset.samples("val")))
        keras_result, verified = verify(paths, dataset, work / keras_export.MASKS_FOLDER, progress.advance)
        drafts = {key: _Draft(bare[key], described[key], verified[key]) for key in precisions}
        ranking: tuple[LayerError, ...] = ()
        if debug or (target_drop is not None and drafts["int8"].verified.drop > target_drop):
            layers = Int8Layers(calibrate((work / keras_export.FLOAT_MODEL_FILE).read_bytes(), images), images, work)
            progress.stage("ranking the layers of int8", layers.count)
            ranking = layers.ranking(progress.advance)
            if target_drop is not None:
                progress.stage("returning layers to float")
                drafts["int8"] = _within(target_drop, drafts["int8"], layers, ranking, dataset)
        models = tuple(_finish(drafts[key], names, out, force, target_drop) for key in precisions)
    result = ConversionResult(keras_result, models, ranking if debug else ())
    if result.layers:
        from edge_seg_convert.layer_plot import write_plot

        name = f"{run.path.resolve().name}_int8"
        write_json(out / f"{name}_layers.json", result.layers)
        write_plot(out / f"{name}_layers.png", result.layers, name)
    write_text(out / "conversion.json", json.dumps(summary(result, names), indent=2) + "\n")
    return result


def _dataset_of(run: RunFolder, data: Path | None) -> Dataset:
    """Open the run's data set and tell, before minutes of exporting, what is missing."""
    folder, learned = data or run.read_config().data, run.read_manifest().class_names
    if data is None and not folder.is_dir():
        raise ConversionError(f"{folder}: the run's data set is gone; name the folder it is in now with --data")
    dataset = Dataset.open(folder)
    if dataset.manifest.class_names != learned:
        raise ConversionError(
            f"{dataset.folder}: has the classes {', '.join(dataset.manifest.class_names)}, but the run learned "
            f"{', '.join(learned)}; give its own data set with --data"
        )
    for split in ("train", "val"):
        dataset.samples(split)
    return dataset


def _calibration_images(
    dataset: Dataset, config: RunConfig, precisions: Sequence[Precision], count: int
) -> list[RgbImage]:
    if "int8" not in precisions:
        return []
    return calibration_images(dataset, count, config.height, config.width, config.seed)


def _quantised(
    work: Path, precisions: Sequence[Precision], output: OutputKind, images: Sequence[RgbImage], progress: Progress
) -> dict[Precision, bytes]:
    float_model = (work / keras_export.FLOAT_MODEL_FILE).read_bytes()
    progress.stage("quantising", len(precisions))
    models: dict[Precision, bytes] = {}
    for precision in precisions:
        models[precision] = _with_output(quantise(float_model, precision, images), output)
        progress.advance()
    return models


def _with_output(model: bytes, output: OutputKind) -> bytes:
    return graph.with_class_map_output(model) if output == "classes" else model


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


def _within(
    target_drop: float,
    draft: _Draft,
    layers: Int8Layers,
    ranking: Sequence[LayerError],
    dataset: Dataset,
) -> _Draft:
    """Return int8 with as few layers in float as needed."""

    def try_out(model: bytes) -> Verified:
        path = _write_temporary(layers.work, "int8", pack(_with_output(model, draft.info.output), draft.info))
        return verify({"int8": path}, dataset, layers.work / keras_export.MASKS_FOLDER, lambda: None)[1]["int8"]

    mixed = layers.within(target_drop, ranking, draft.verified, try_out)
    info = draft.info.model_copy(update={"float_layers": tuple(layer.name for layer in mixed.float_layers)})
    return _Draft(_with_output(mixed.model, draft.info.output), info, mixed.verified, mixed)


def _finish(draft: _Draft, class_names: Sequence[str], out: Path, force: bool, target_drop: float | None) -> Converted:
    info = draft.info.model_copy(update={"metrics": metrics(draft.verified, class_names)})
    model, target = pack(draft.bare, info), target_drop if info.precision == "int8" else None
    converted = Converted(info.precision, None, len(model), draft.verified, draft.mixed, target)
    if not force and (converted.drop > FAILING_DROP or converted.misses_target):
        return converted
    path = out / f"{info.name}_{info.precision}.tflite"
    write_bytes(path, model)
    return replace(converted, path=path)
