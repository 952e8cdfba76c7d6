"""Our models beside other runtimes and other people's models: `python -m edge_seg_bench.peers`.

The workers of OpenVINO and ONNX Runtime are here too; `edge_seg_bench.conversion` measures with them as well.
"""
