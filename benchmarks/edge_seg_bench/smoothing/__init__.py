"""What temporal smoothing of scores does to flicker and accuracy: `python -m edge_seg_bench.smoothing`."""
