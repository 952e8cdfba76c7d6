"""What conversion brings: our models beside OpenVINO and ONNX Runtime, which get the stock conversion.

`python -m edge_seg_bench.conversion FOLDER... --stock FOLDER...` measures. Nothing here imports the convert stage:
the folders are what `edge-seg convert` wrote. The peers come with `pip install 'edge-seg[peers]'`.
"""
