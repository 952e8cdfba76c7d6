"""How a benchmark with targets ends."""

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from edge_seg.errors import BenchmarkError
from edge_seg_bench.judging import record


class Report(BaseModel):
    missed: tuple[str, ...] = ()


def test_a_missed_target_is_an_error_after_all_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(Report(), "met", None)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BenchmarkError, match=r"^2 targets missed: a; b$"):
        record(Report(missed=("a", "b")), "# table\n", tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text()) == {"missed": ["a", "b"]}
    assert (tmp_path / "x.md").read_text() == "# table\n"
    assert capsys.readouterr().out == "met\n# table\n\n"
