"""The wheel of this project, built from its source."""

import sys
from pathlib import Path

import edge_seg
from edge_seg.errors import BenchmarkError
from edge_seg_bench.arm64.programs import run


def build_wheel(folder: Path) -> Path:
    """Build the wheel of the source that runs this, into `folder`.

    Raises:
        BenchmarkError: edge-seg does not run from its source, or pip cannot build it.
    """
    project = Path(str(edge_seg.__file__)).parents[2]
    if not (project / "pyproject.toml").is_file():
        raise BenchmarkError(
            f"{project}: holds no pyproject.toml; a wheel is built where edge-seg runs from its source"
        )
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(project)]
    run(build, doing="building the wheel")
    return next(folder.glob("edge_seg-*.whl"))
