"""Whether the camera keeps going: `python -m edge_seg_bench.soak` and `python -m edge_seg_bench.faults`."""
