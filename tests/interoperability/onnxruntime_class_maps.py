"""ONNX Runtime, on ONNX or through tf2onnx.  Usage:  onnxruntime_class_maps.py MODEL PICTURES CLASS_MAPS"""

import json
import subprocess
import sys

import numpy as np
import onnxruntime

model, pictures, class_maps = sys.argv[1:]
if model.endswith(".tflite"):
    tflite, model = model, f"{class_maps}.onnx"
    convert = [sys.executable, "-m", "tf2onnx.convert", "--tflite", tflite, "--output", model]
    subprocess.run(convert, check=True, stdout=subprocess.DEVNULL)
session = onnxruntime.InferenceSession(model)
(image,) = session.get_inputs()
found = [session.run(None, {image.name: picture[None]})[0][0].argmax(axis=-1) for picture in np.load(pictures)]
np.save(class_maps, np.stack(found))
labels = session.get_modelmeta().custom_metadata_map.get("labels", "")
json.dump({"input": image.type, "shape": image.shape, "labels": labels}, sys.stdout)
