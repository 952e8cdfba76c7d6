"""Read TFLite metadata with the code that MediaPipe generated from the published schema.

Usage:  mediapipe_metadata.py TFLITE_METADATA
"""

import json
import sys
from pathlib import Path

import numpy as np
from mediapipe.tasks.metadata import image_segmenter_metadata_schema_py_generated as segmenter_schema
from mediapipe.tasks.metadata import metadata_schema_py_generated as schema


def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list | np.ndarray):
        return [plain(each) for each in value]
    if hasattr(value, "__dict__"):
        return {name: plain(each) for name, each in vars(value).items() if each is not None}
    return value.item() if isinstance(value, np.generic) else value


data = Path(sys.argv[1]).read_bytes()
assert schema.ModelMetadata.ModelMetadataBufferHasIdentifier(data, 0)
metadata = schema.ModelMetadataT.InitFromObj(schema.ModelMetadata.GetRootAs(data))
(custom,) = metadata.subgraphMetadata[0].customMetadata
options = bytes(bytearray(custom.data))
assert segmenter_schema.ImageSegmenterOptions.ImageSegmenterOptionsBufferHasIdentifier(options, 0)
custom.data = segmenter_schema.ImageSegmenterOptionsT.InitFromObj(
    segmenter_schema.ImageSegmenterOptions.GetRootAs(options)
)
json.dump(plain(metadata), sys.stdout)
