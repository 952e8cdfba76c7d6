"""MediaPipe Tasks' ImageSegmenter.  Usage:  mediapipe_class_maps.py MODEL PICTURES CLASS_MAPS"""

import json
import sys

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import ImageSegmenter, ImageSegmenterOptions

model, pictures, class_maps = sys.argv[1:]
options = ImageSegmenterOptions(base_options=BaseOptions(model_asset_path=model), output_category_mask=True)
found, lowest, sums = [], [], []
with ImageSegmenter.create_from_options(options) as segmenter:
    for picture in np.load(pictures):
        result = segmenter.segment(mp.Image(image_format=mp.ImageFormat.SRGB, data=picture))
        found.append(result.category_mask.numpy_view().reshape(picture.shape[:2]).copy())
        confidences = np.stack([mask.numpy_view() for mask in result.confidence_masks])
        lowest.append(confidences.min())
        sums.append(np.abs(confidences.sum(axis=0) - 1).max())
    labels = list(segmenter.labels)
np.save(class_maps, np.stack(found))
json.dump({"labels": labels, "lowest": float(min(lowest)), "sum_error": float(max(sums))}, sys.stdout)
