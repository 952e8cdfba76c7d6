"""TFLite metadata: what other tools read, and edge_seg.json beside it in the same file.

The table layouts are those of TFLite's metadata schema 1.5
(https://github.com/google-ai-edge/mediapipe/blob/master/mediapipe/tasks/metadata/metadata_schema.fbs), with MediaPipe's
own table for segmenters (image_segmenter_metadata_schema.fbs beside it); field numbers below are positions in its
tables. Its generated Python ships only in packages that stopped at Python 3.11 or weigh hundreds of megabytes, so
these few tables are built with the flatbuffers library directly. It has no place for colours: edge_seg.json has them.
"""

import io
import zipfile

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_seg.model_info import INFO_FILE, LABELS_FILE, ModelInfo
from edge_seg_convert import graph
from edge_seg_convert.flatbuffer_tables import floats, table, union, vector
from edge_seg_convert.portability import portable

METADATA_NAME = b"TFLITE_METADATA"
_IDENTIFIER = b"M001"
_PARSER_VERSION = "1.5.0"  # the first with custom metadata
_SEGMENTER_NAME = "SEGMENTER_METADATA"
_SEGMENTER_IDENTIFIER = b"V001"
_SEGMENTER_PARSER_VERSION = "1.0.0"
_NO_ACTIVATION, _SOFTMAX = 0, 2
_CUSTOM_METADATA_ALIGNMENT = 16
_DESCRIPTIONS, _TENSOR_AXIS_LABELS, _TENSOR_VALUE_LABELS = 1, 2, 3
_FEATURE_PROPERTIES, _IMAGE_PROPERTIES = 1, 2
_RGB, _GRAYSCALE = 1, 2
_NORMALIZATION_OPTIONS = 1
# A fixed time stamp: the same model gives the same bytes.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def pack(model: bytes, info: ModelInfo) -> bytes:
    """Return `model`, portable, with TFLite metadata inside and labels.txt and edge_seg.json appended."""
    edited = graph.parse(portable(model))
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(build_metadata(info, *_normalisation(edited)), np.uint8)
    _put_buffer(edited, METADATA_NAME, buffer)
    return _with_files(graph.serialise(edited), info)


def _normalisation(model: schema.ModelT) -> tuple[float, float]:
    """Return the mean and standard deviation that leave raw bytes as they are.

    Readers normalise, (x - mean) / std, and then quantise as the input says; the scaling itself is inside the graph.
    """
    subgraph = model.subgraphs[0]
    quantization = subgraph.tensors[subgraph.inputs[0]].quantization
    if quantization is None or quantization.scale is None or not len(quantization.scale):
        return 0.0, 1.0
    return float(quantization.zeroPoint[0]), 1 / float(quantization.scale[0])


def _put_buffer(model: schema.ModelT, name: bytes, buffer: schema.BufferT) -> None:
    for known in model.metadata or []:
        if known.name == name:
            model.buffers[known.buffer] = buffer
            return
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]


def _with_files(model: bytes, info: ModelInfo) -> bytes:
    labels = "".join(f"{item.name}\n" for item in info.classes)
    packed = io.BytesIO(model)
    packed.seek(0, io.SEEK_END)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_STORED) as archive:
        for name, text in ((LABELS_FILE, labels), (INFO_FILE, info.model_dump_json(indent=2))):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), text)
    return packed.getvalue()


def build_metadata(info: ModelInfo, mean: float, std: float) -> bytes:
    """Build the ModelMetadata flatbuffer: image input in RGB with its normalisation, class scores with labels."""
    builder = flatbuffers.Builder(1024)
    subgraph = table(
        builder,
        10,
        {
            2: vector(builder, [_input_metadata(builder, info, mean, std)]),
            3: vector(builder, [_output_metadata(builder, info)]),
            9: vector(builder, [_segmenter_metadata(builder, info)]),
        },
    )
    description = "What the model is: classes with their colours, data, training and measured figures."
    metadata = table(
        builder,
        8,
        {
            0: builder.CreateString(info.name),
            1: builder.CreateString(f"Segments {', '.join(item.name for item in info.classes)}; trained by edge-seg."),
            3: vector(builder, [subgraph]),
            5: builder.CreateString(info.data.licence),
            6: vector(builder, [_associated_file(builder, INFO_FILE, description, _DESCRIPTIONS)]),
            7: builder.CreateString(_PARSER_VERSION),
        },
    )
    builder.Finish(metadata, _IDENTIFIER)
    return bytes(builder.Output())


def _input_metadata(builder: flatbuffers.Builder, info: ModelInfo, mean: float, std: float) -> int:
    builder.StartObject(2)
    builder.PrependUint32Slot(0, info.input_width, 0)
    builder.PrependUint32Slot(1, info.input_height, 0)
    size = builder.EndObject()
    content = union(builder, 3, _IMAGE_PROPERTIES, _image_properties(builder, _RGB, size))
    normalization = table(builder, 2, {0: floats(builder, [mean]), 1: floats(builder, [std])})
    unit = union(builder, 2, _NORMALIZATION_OPTIONS, normalization)
    stats = table(builder, 2, {0: floats(builder, [255.0]), 1: floats(builder, [0.0])})
    name, description = builder.CreateString("image"), builder.CreateString("RGB image, raw bytes 0 to 255.")
    return table(builder, 7, {0: name, 1: description, 3: content, 4: vector(builder, [unit]), 5: stats})


def _output_metadata(builder: flatbuffers.Builder, info: ModelInfo) -> int:
    is_scores = info.output == "scores"
    description = "Class scores per pixel." if is_scores else "Class ids."
    kind = _TENSOR_AXIS_LABELS if is_scores else _TENSOR_VALUE_LABELS
    labels = _associated_file(builder, LABELS_FILE, "Class names.", kind)
    fields = {
        0: builder.CreateString("segmentation"),
        1: builder.CreateString(description),
        3: _masks_content(builder) if is_scores else union(builder, 3, _FEATURE_PROPERTIES, table(builder, 0, {})),
        6: vector(builder, [labels]),
    }
    return table(builder, 7, fields)


def _masks_content(builder: flatbuffers.Builder) -> int:
    """Content of a segmenter's scores as MediaPipe writes it: a grey image per class, in dimensions 1 and 2."""
    properties = _image_properties(builder, _GRAYSCALE)
    builder.StartObject(2)
    builder.PrependInt32Slot(0, 1, 0)
    builder.PrependInt32Slot(1, 2, 0)
    dimensions = builder.EndObject()
    return union(builder, 3, _IMAGE_PROPERTIES, properties, {2: dimensions})


def _image_properties(builder: flatbuffers.Builder, colour_space: int, size: int | None = None) -> int:
    builder.StartObject(2)
    builder.PrependInt8Slot(0, colour_space, 0)
    if size is not None:
        builder.PrependUOffsetTRelativeSlot(1, size, 0)
    return builder.EndObject()


def _segmenter_metadata(builder: flatbuffers.Builder, info: ModelInfo) -> int:
    """Tell MediaPipe to show scores as shares from 0 to 1: its confidence masks go through a softmax."""
    options = flatbuffers.Builder(64)
    version = options.CreateString(_SEGMENTER_PARSER_VERSION)
    options.StartObject(2)
    options.PrependInt8Slot(0, _SOFTMAX if info.output == "scores" else _NO_ACTIVATION, 0)
    options.PrependUOffsetTRelativeSlot(1, version, 0)
    options.Finish(options.EndObject(), _SEGMENTER_IDENTIFIER)
    data = bytes(options.Output())
    builder.StartVector(1, len(data), _CUSTOM_METADATA_ALIGNMENT)
    for byte in reversed(data):
        builder.PrependByte(byte)
    return table(builder, 2, {1: builder.EndVector(), 0: builder.CreateString(_SEGMENTER_NAME)})


def _associated_file(builder: flatbuffers.Builder, file_name: str, description: str, kind: int) -> int:
    name, words = builder.CreateString(file_name), builder.CreateString(description)
    builder.StartObject(5)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    builder.PrependUOffsetTRelativeSlot(1, words, 0)
    builder.PrependInt8Slot(2, kind, 0)
    return builder.EndObject()
