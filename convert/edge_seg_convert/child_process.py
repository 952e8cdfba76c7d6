"""Modules of this package run as processes of their own, silently.

TensorFlow and another native runtime in one process can hang, and both print what no user must see.
"""

import os
import subprocess
import sys

from edge_seg.errors import ConversionError


def run_module(name: str, *arguments: object, failure: str) -> None:
    """Run `python -m name arguments`.

    Raises:
        ConversionError: it failed; the sentence is `failure` and the last line it printed.
    """
    command = [sys.executable, "-m", name, *map(str, arguments)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if finished.returncode:
        lines = [line for line in finished.stderr.splitlines() if line.strip()] or ["no message"]
        raise ConversionError(f"{failure}: {lines[-1].strip()}")
