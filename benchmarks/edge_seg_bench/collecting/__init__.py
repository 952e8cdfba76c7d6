"""Whether the pictures a model is unsure of are those it gets wrong: `python -m edge_seg_bench.collecting`."""
