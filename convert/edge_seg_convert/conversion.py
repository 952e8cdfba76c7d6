"""From a trained network to self-contained models: export, quantise, verify, gate, write."""

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from edge_seg.errors import ConversionError, ModelError
from edge_seg.files import check_can_write, write_bytes, write_text
from edge_seg.inspection import delegate_coverage
from edge_seg.model_info import ModelInfo, OutputKind, Precision
from edge_seg.runtimes import load_engine
from edge_seg_convert import keras_export
from edge_seg_convert.calibration import Candidate, calibration_set
from edge_seg_convert.description import describe, describe_calibration
from edge_seg_convert.graph_ends import with_class_map_output
from edge_seg_convert.int8_layers import Int8Layers, MixedModel
from edge_seg_convert.keras_export import Exported, Request, export, export_int8
from edge_seg_convert.latency import interleaved_medians_ms
from edge_seg_convert.layer_errors import LayerError
from edge_seg_convert.layer_report import write_json
from edge_seg_convert.metadata import pack
from edge_seg_convert.obstacles import obstacle
from edge_seg_convert.onnx_model import OnnxModel, write_onnx
from edge_seg_convert.polyphase import RewriteChoice, count_transposed, rewrite
from edge_seg_convert.quantisation import Calibrated, calibrate, integer_model, quantise
from edge_seg_convert.results import ConversionResult, Converted, float_metrics, metrics, summary
from edge_seg_convert.sources import Source
from edge_seg_convert.verification import Verified, verify

PRECISIONS: tuple[Precision, ...] = ("float32", "float16", "dynamic", "int8")
Quantizer = Literal["litert", "tensorflow"]
FEWEST_CALIBRATION_IMAGES = 2


class Progress(Protocol):
    """What a conversion tells while it goes."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins; `total` steps when they can be counted."""
        ...

    def advance(self) -> None:
        """One step of the stage is done."""
        ...


@dataclass(frozen=True)
class Options:
    """What to make of a network."""

    precisions: Sequence[Precision] = PRECISIONS
    output: OutputKind = "scores"
    rewriting: RewriteChoice = "auto"
    quantizer: Quantizer = "litert"
    """Who makes int8."""
    calibration_count: int = 50
    force: bool = False
    """Write what the gates hold back too."""
    debug: bool = False
    """Rank the layers of int8."""
    target_drop: float | None = None
    """The loss of int8 that is wanted, as a share of mIoU."""
    to_onnx: bool = False
    """Write `<name>.onnx` too."""


@dataclass(frozen=True)
class _Draft:
    """A model that is not written yet: its graph, what it will say of itself, and what it gave."""

    bare: bytes
    info: ModelInfo
    verified: Verified | None = None
    mixed: MixedModel | None = None

    @property
    def described(self) -> bytes:
        """The file as it is so far."""
        return pack(self.bare, self.info)


def default_precisions(source: Source) -> Sequence[Precision]:
    """Return all precisions; int8 needs pictures."""
    return PRECISIONS if source.dataset else tuple(key for key in PRECISIONS if key != "int8")


def convert(source: Source, out: Path, progress: Progress, options: Options) -> ConversionResult:
    """Convert a network and write `<name>_<precision>.tflite` files and conversion.json into `out`.

    With `options.debug`, `<name>_int8_layers.json` and `.png` say which layers int8 hurts. With `target_drop`, as few
    layers of the int8 model as needed stay in float until it loses no more than that.

    Raises:
        ConversionError: TensorFlow cannot export the network, int8 has nothing to calibrate on, options that
            contradict each other, or a transposed convolution that must be rewritten and cannot.
    """
    _check_options(source, options)
    check_can_write(out)
    with tempfile.TemporaryDirectory(prefix="edge-seg-") as name:
        conversion = _Conversion(source, options, progress, Path(name))
        drafts = conversion.drafts()
        models = conversion.gated(drafts)
        onnx = conversion.onnx(out) if options.to_onnx else None
    for model in models:
        if model.path:
            write_bytes(out / model.path, drafts[model.precision].described)
    placed = tuple(replace(model, path=out / model.path if model.path else None) for model in models)
    result = ConversionResult(
        conversion.network, conversion.keras, placed, conversion.ranking if options.debug else (), onnx
    )
    if result.layers:
        _write_layers(out, f"{source.name}_int8", result.layers)
    write_text(out / "conversion.json", json.dumps(summary(result), indent=2) + "\n")
    return result


def _check_options(source: Source, options: Options) -> None:
    wants_layers = options.debug or options.target_drop is not None
    if wants_layers and "int8" not in options.precisions:
        raise ConversionError("--debug and --target-drop are about int8, which is not among the precisions; add it")
    if wants_layers and options.quantizer == "tensorflow":
        raise ConversionError("--debug and --target-drop look into litert-quantizer's int8; leave out --quantizer")
    if options.quantizer == "tensorflow" and options.rewriting == "on":
        raise ConversionError("TensorFlow's int8 cannot be rewritten; leave out --rewrite on or --quantizer tensorflow")
    if source.dataset is None and options.to_onnx:
        raise ConversionError(f"{source.model}: ONNX is verified on pictures; give a data set with --data")
    if source.dataset is None and "int8" in options.precisions:
        raise ConversionError(f"{source.model}: int8 is calibrated on pictures; give a data set with --data")


def _write_layers(out: Path, name: str, layers: Sequence[LayerError]) -> None:
    from edge_seg_convert.layer_plot import write_plot

    write_json(out / f"{name}_layers.json", layers)
    write_plot(out / f"{name}_layers.png", layers, name)


class _Conversion:
    """One conversion on its way, in a folder of its own."""

    def __init__(self, source: Source, options: Options, progress: Progress, work: Path) -> None:
        self._source, self._options, self._progress, self._work = source, options, progress, work
        self._class_names = tuple(item.name for item in source.classes)
        self._reference = work / "reference.tflite"
        self.ranking: tuple[LayerError, ...] = ()
        self.keras: Verified | None = None
        self._calibrated: Calibrated | None = None

    def drafts(self) -> dict[Precision, _Draft]:
        """Export, quantise and verify."""
        self._progress.stage("exporting from Keras")
        exported = self._exported
        pictures = self._calibration(exported)
        self._progress.stage("quantising", len(self._options.precisions))
        float_model = (self._work / keras_export.FLOAT_MODEL_FILE).read_bytes()
        self._reference.write_bytes(rewrite(float_model, self._options.rewriting))
        drafts: dict[Precision, _Draft] = {}
        for precision in self._options.precisions:
            bare = self._quantised(float_model, precision, pictures)
            drafts[precision] = _Draft(self._with_output(bare), self._describe(precision, pictures))
            self._progress.advance()
        drafts = self._verified(drafts)
        return {**drafts, "int8": self._looked_into(drafts["int8"], pictures)} if "int8" in drafts else drafts

    def gated(self, drafts: Mapping[Precision, _Draft]) -> tuple[Converted, ...]:
        """Measure every draft's latency, and name the file of each that may be written."""
        if not drafts:
            return ()
        self._progress.stage("measuring latency")
        paths = {"reference": self._reference, **{key: self._write(key, draft) for key, draft in drafts.items()}}
        medians_ms = interleaved_medians_ms(paths)
        slowdowns = {key: medians_ms[key] / medians_ms["reference"] for key in drafts}
        return tuple(self._gate(draft, paths[key], medians_ms[key], slowdowns[key]) for key, draft in drafts.items())

    @cached_property
    def _exported(self) -> Exported:
        data = str(self._source.dataset.folder) if self._source.dataset else None
        exported = export(self._request(data), self._work)
        if exported.channels == 1 and self._options.output == "classes":
            raise ConversionError(
                f"{self._source.model}: gives one score a pixel, which is no choice between classes; leave out "
                "--output classes"
            )
        # One score a pixel is the probability of the second class.
        if max(exported.channels, 2) != len(self._class_names):
            raise ConversionError(
                f"{self._source.model}: gives {exported.channels} scores a pixel, but there are "
                f"{len(self._class_names)} classes ({', '.join(self._class_names)}); give the right list with --labels"
            )
        return exported

    def onnx(self, out: Path) -> OnnxModel:
        """Write the float32 network as ONNX too, in its stock form: ONNX has transposed convolutions of its own."""
        assert self._source.dataset is not None
        self._progress.stage("converting to ONNX")
        info = self.network.model_copy(update={"converter": {"rewrite": "off"}})
        path = out / f"{self._source.name}.onnx"
        return write_onnx(self._work / keras_export.FLOAT_MODEL_FILE, info, self._source.dataset, path, self._work)

    def _request(self, data: str | None = None) -> Request:
        return Request(str(self._source.model), data, self._source.input_range)

    def _calibration(self, exported: Exported) -> list[Candidate]:
        """Choose the pictures of int8, none when it is not wanted."""
        if "int8" not in self._options.precisions or self._source.dataset is None:
            return []
        count = self._options.calibration_count
        chosen = calibration_set(self._source.dataset, count, exported.height, exported.width, self._source.seed)
        if len(chosen) < FEWEST_CALIBRATION_IMAGES and not self._options.force:
            raise ConversionError(
                f"int8 would be calibrated on {len(chosen)} distinct picture, which loses accuracy unseen; give "
                "--calibration-images 25 and a data set that has them, or do it all the same with --force"
            )
        return chosen

    def _quantised(self, float_model: bytes, precision: Precision, pictures: Sequence[Candidate]) -> bytes:
        images = [item.image for item in pictures]
        if precision == "int8" and self._options.quantizer == "tensorflow":
            return export_int8(self._request(), images, self._work)
        if precision == "int8":
            self._calibrated = calibrate(float_model, images, self._options.rewriting)
            return integer_model(self._calibrated)
        return quantise(float_model, precision, images, self._options.rewriting)

    def _with_output(self, model: bytes) -> bytes:
        return with_class_map_output(model) if self._options.output == "classes" else model

    @cached_property
    def network(self) -> ModelInfo:
        """What all models of the network have in common."""
        return describe(self._source, self._exported, self._options.output)

    def _describe(self, precision: Precision, pictures: Sequence[Candidate]) -> ModelInfo:
        by_tensorflow = precision == "int8" and self._options.quantizer == "tensorflow"
        converter = {
            "quantizer": "tensorflow" if by_tensorflow else "litert",
            "rewrite": "off" if by_tensorflow else self._options.rewriting,
        }
        calibration = describe_calibration(pictures) if precision == "int8" else None
        update = {"precision": precision, "calibration": calibration, "converter": converter}
        return self.network.model_copy(update=update)

    def _verified(self, drafts: dict[Precision, _Draft]) -> dict[Precision, _Draft]:
        dataset = self._source.dataset
        if dataset is None or not drafts:
            return drafts
        self._progress.stage("verifying", len(dataset.samples("val")))
        paths: dict[Precision, Path] = {key: self._write(key, draft) for key, draft in drafts.items()}
        masks = self._work / keras_export.MASKS_FOLDER
        try:
            self.keras, verified = verify(paths, dataset, masks, self._progress.advance)
        except ModelError as error:
            # The sentence begins with the name of a file that nobody but us ever sees.
            raise ConversionError(f"{self._source.model}: {str(error).split(': ', 1)[-1]}") from None
        if math.isnan(self.keras.scores.miou):
            raise ConversionError(
                f"{dataset.folder}: no pixel of the validation masks counts (all are {dataset.ignore_id}, ignored), so "
                "nothing can be verified; give a data set with annotated pictures"
            )
        return {key: self._with_figures(draft, verified[key]) for key, draft in drafts.items()}

    def _with_figures(self, draft: _Draft, verified: Verified, mixed: MixedModel | None = None) -> _Draft:
        figures = {
            "metrics": metrics(verified, self._class_names),
            "float_metrics": float_metrics(verified, self._class_names),
        }
        return _Draft(draft.bare, draft.info.model_copy(update=figures), verified, mixed)

    def _looked_into(self, draft: _Draft, pictures: Sequence[Candidate]) -> _Draft:
        """Rank the layers of int8 and keep some of them in float, where that was asked for."""
        target, verified = self._options.target_drop, draft.verified
        misses = target is not None and verified is not None and verified.drop > target
        if not (self._options.debug or misses):
            return draft
        assert self._calibrated is not None
        layers = Int8Layers(self._calibrated, [item.image for item in pictures], self._work)
        self._progress.stage("ranking the layers of int8", layers.count)
        self.ranking = layers.ranking(self._progress.advance)
        return self._within(target, draft, layers) if target is not None and misses else draft

    def _within(self, target_drop: float, draft: _Draft, layers: Int8Layers) -> _Draft:
        """Return int8 with as few layers in float as needed."""
        dataset, masks = self._source.dataset, self._work / keras_export.MASKS_FOLDER
        assert dataset is not None
        assert draft.verified is not None
        self._progress.stage("returning layers to float")

        def try_out(model: bytes) -> Verified:
            path = self._write("int8", replace(draft, bare=self._with_output(model)))
            return verify({"int8": path}, dataset, masks, lambda: None)[1]["int8"]

        mixed = layers.within(target_drop, self.ranking, draft.verified, try_out)
        kept = tuple(layer.name for layer in mixed.float_layers)
        info = draft.info.model_copy(update={"float_layers": kept})
        return self._with_figures(_Draft(self._with_output(mixed.model), info), mixed.verified, mixed)

    def _gate(self, draft: _Draft, path: Path, latency_ms: float, slowdown: float) -> Converted:
        model = draft.described
        precision = draft.info.precision
        made = Converted(
            precision=precision,
            path=None,
            size_bytes=len(model),
            latency_ms=latency_ms,
            slowdown=slowdown,
            verified=draft.verified,
            coverage=delegate_coverage(load_engine(path).operations),
            mixed=draft.mixed,
            target_drop=self._options.target_drop if precision == "int8" else None,
        )
        reason = obstacle(made, transposed=count_transposed(draft.bare), rewriting=self._options.rewriting)
        name = Path(f"{self._source.name}_{precision}.tflite")
        return replace(made, obstacle=reason, path=name if reason is None or self._options.force else None)

    def _write(self, precision: Precision, draft: _Draft) -> Path:
        path = self._work / f"described_{precision}.tflite"
        path.write_bytes(draft.described)
        return path
