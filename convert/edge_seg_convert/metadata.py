"""TFLite metadata: what other tools read, and edge_seg.json beside it in the same file.

The table layouts are those of TFLite's metadata schema 1.5
(https://github.com/tensorflow/tflite-support/blob/master/tensorflow_lite_support/metadata/metadata_schema.fbs);
field numbers below are positions in its tables. Its generated Python ships only in packages that stopped at
Python 3.11 or weigh 60 MB, so these few tables are built with the flatbuffers library directly.
"""

import io
import zipfile
from collections.abc import Sequence

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_seg.model_info import INFO_FILE, LABELS_FILE, ModelInfo
from edge_seg_convert import graph

METADATA_NAME = b"TFLITE_METADATA"
_IDENTIFIER = b"M001"
_PARSER_VERSION = "1.5.0"
_TENSOR_AXIS_LABELS = 2
_IMAGE_PROPERTIES = 2
_RGB = 1
_NORMALIZATION_OPTIONS = 1
# A fixed time stamp: the same model gives the same bytes.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def pack(model: bytes, info: ModelInfo) -> bytes:
    """Return `model` with TFLite metadata inside and labels.txt and edge_seg.json appended."""
    return _with_files(_with_metadata_buffer(model, build_metadata(info)), info)


def _with_metadata_buffer(model: bytes, metadata: bytes) -> bytes:
    edited = graph.parse(model)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(metadata, np.uint8)
    edited.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA_NAME, len(edited.buffers) - 1
    edited.metadata = [known for known in edited.metadata or [] if known.name != METADATA_NAME] + [entry]
    return graph.serialise(edited)


def _with_files(model: bytes, info: ModelInfo) -> bytes:
    labels = "".join(f"{item.name}\n" for item in info.classes)
    packed = io.BytesIO(model)
    packed.seek(0, io.SEEK_END)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_STORED) as archive:
        for name, text in ((LABELS_FILE, labels), (INFO_FILE, info.model_dump_json(indent=2))):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), text)
    return packed.getvalue()


def build_metadata(info: ModelInfo) -> bytes:
    """Build the ModelMetadata flatbuffer: image input in RGB with its normalisation, class scores with labels."""
    builder = flatbuffers.Builder(1024)
    subgraph = _table(
        builder,
        9,
        {2: _vector(builder, [_input_metadata(builder, info)]), 3: _vector(builder, [_output_metadata(builder, info)])},
    )
    metadata = _table(
        builder,
        8,
        {
            0: builder.CreateString(info.name),
            1: builder.CreateString(f"Segments {', '.join(item.name for item in info.classes)}; trained by edge-seg."),
            3: _vector(builder, [subgraph]),
            5: builder.CreateString(info.data.licence),
            7: builder.CreateString(_PARSER_VERSION),
        },
    )
    builder.Finish(metadata, _IDENTIFIER)
    return bytes(builder.Output())


def _input_metadata(builder: flatbuffers.Builder, info: ModelInfo) -> int:
    builder.StartObject(2)
    builder.PrependUint32Slot(0, info.input_width, 0)
    builder.PrependUint32Slot(1, info.input_height, 0)
    size = builder.EndObject()
    builder.StartObject(2)
    builder.PrependInt8Slot(0, _RGB, 0)
    builder.PrependUOffsetTRelativeSlot(1, size, 0)
    properties = builder.EndObject()
    content = _union(builder, 3, _IMAGE_PROPERTIES, properties)
    # Raw bytes go in: the scaling is inside the graph, so readers must not scale (mean 0, standard deviation 1).
    normalization = _table(builder, 2, {0: _floats(builder, [0.0]), 1: _floats(builder, [1.0])})
    unit = _union(builder, 2, _NORMALIZATION_OPTIONS, normalization)
    stats = _table(builder, 2, {0: _floats(builder, [255.0]), 1: _floats(builder, [0.0])})
    name, description = builder.CreateString("image"), builder.CreateString("RGB image, raw bytes 0 to 255.")
    return _table(builder, 7, {0: name, 1: description, 3: content, 4: _vector(builder, [unit]), 5: stats})


def _output_metadata(builder: flatbuffers.Builder, info: ModelInfo) -> int:
    builder_name = builder.CreateString(LABELS_FILE)
    builder.StartObject(5)
    builder.PrependUOffsetTRelativeSlot(0, builder_name, 0)
    builder.PrependInt8Slot(2, _TENSOR_AXIS_LABELS, 0)
    labels = builder.EndObject()
    content = _union(builder, 3, 1, _table(builder, 0, {}))
    name = builder.CreateString("segmentation")
    description = builder.CreateString({"scores": "Class scores per pixel.", "classes": "Class ids."}[info.output])
    return _table(builder, 7, {0: name, 1: description, 3: content, 6: _vector(builder, [labels])})


def _table(builder: flatbuffers.Builder, field_count: int, offsets: dict[int, int]) -> int:
    builder.StartObject(field_count)
    for slot, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return builder.EndObject()


def _union(builder: flatbuffers.Builder, field_count: int, kind: int, value: int) -> int:
    """Build a table whose first two fields are a union's type and value."""
    builder.StartObject(field_count)
    builder.PrependUint8Slot(0, kind, 0)
    builder.PrependUOffsetTRelativeSlot(1, value, 0)
    return builder.EndObject()


def _vector(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _floats(builder: flatbuffers.Builder, values: Sequence[float]) -> int:
    return builder.CreateNumpyVector(np.asarray(values, np.float32))
