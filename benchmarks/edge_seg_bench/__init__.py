"""Benchmarks: latency, memory and size of .tflite files, measured in their own processes."""
