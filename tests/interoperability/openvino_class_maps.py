"""OpenVINO, on the .tflite itself.  Usage:  openvino_class_maps.py MODEL PICTURES CLASS_MAPS"""

import json
import sys

import numpy as np
import openvino

model, pictures, class_maps = sys.argv[1:]
# Without the hint, processors that compute in bfloat16 do, and lose three of float32's digits.
compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
found = [compiled(picture[None])[0][0].argmax(axis=-1) for picture in np.load(pictures)]
np.save(class_maps, np.stack(found))
json.dump({"input": compiled.input(0).element_type.to_string(), "shape": list(compiled.input(0).shape)}, sys.stdout)
