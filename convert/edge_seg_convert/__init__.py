"""Conversion: from a run folder to self-contained .tflite files."""
