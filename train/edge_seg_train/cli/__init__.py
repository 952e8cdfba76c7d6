"""`edge-seg train` and its commands; TensorFlow is imported when one of them needs it."""

from edge_seg_train.cli.group import train

__all__ = ["train"]
