"""The figures of the documentation are those that were recorded."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_seg.shipped import default_model
from edge_seg_bench.cards.front import README, front_blocks
from edge_seg_bench.cards.page import block_names, fill

ROOT = Path(__file__).parents[1]


def test_conversion_tables_say_what_was_recorded() -> None:
    page = (ROOT / "docs/conversion.md").read_text(encoding="utf-8")
    recorded = (ROOT / "benchmarks/results/conversion.md").read_text(encoding="utf-8").splitlines()
    shown = re.search(r"<!-- conversion -->(.*)<!-- /conversion -->", page, re.DOTALL)
    assert shown is not None
    rows = [line for line in shown[1].splitlines() if line.startswith("|") and "runtime" not in line]
    assert len(rows) == 20
    assert set(rows) <= set(recorded)


def test_the_tables_of_the_readme_say_what_was_recorded() -> None:
    text = (ROOT / README).read_text(encoding="utf-8")
    assert block_names(text) == ["peers", "models"]
    assert fill(text, front_blocks(ROOT)) == text


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / README).read_text(encoding="utf-8"), re.DOTALL)
    Image.fromarray(np.full((30, 40, 3), 128, np.uint8)).save(tmp_path / "photo.jpg")
    shutil.copy(default_model(), tmp_path / "model.tflite")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["segmentation"].class_map.shape == (30, 40)
    assert sum(names["segmentation"].area_share.values()) == pytest.approx(1)
