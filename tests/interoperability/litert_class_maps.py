"""What litert-benchmark measures: LiteRT's CompiledModel.  Usage:  litert_class_maps.py MODEL PICTURES CLASS_MAPS"""

import json
import sys

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel

model, pictures, class_maps = sys.argv[1:]
compiled = CompiledModel.from_file(model)
signature, details = next(iter(compiled.get_signature_list().items()))
(scores,) = compiled.get_output_tensor_details(signature).values()
shape, dtype = list(scores["shape"]), np.dtype(scores["dtype"]).type
inputs, outputs = compiled.create_input_buffers(0), compiled.create_output_buffers(0)
found = []
for picture in np.load(pictures):
    inputs[0].write(picture[None])
    compiled.run_by_index(0, inputs, outputs)
    found.append(outputs[0].read(int(np.prod(shape)), dtype).reshape(shape)[0].argmax(axis=-1))
np.save(class_maps, np.stack(found))
json.dump({"signature": signature, **{key: list(value) for key, value in details.items()}}, sys.stdout)
