"""The conversion tables of the documentation are those that were recorded."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_conversion_tables_say_what_was_recorded() -> None:
    page = (ROOT / "docs/conversion.md").read_text(encoding="utf-8")
    recorded = (ROOT / "benchmarks/results/conversion.md").read_text(encoding="utf-8").splitlines()
    shown = re.search(r"<!-- conversion -->(.*)<!-- /conversion -->", page, re.DOTALL)
    assert shown is not None
    rows = [line for line in shown[1].splitlines() if line.startswith("|") and "runtime" not in line]
    assert len(rows) == 20
    assert set(rows) <= set(recorded)
