"""The folders that runs are measured on, and what the measurement of the pipeline holds."""

from pathlib import Path

import pytest

from edge_seg.errors import BenchmarkError
from edge_seg.images import read_image
from edge_seg.shipped import default_model
from edge_seg_bench.device_folder import write_folder, write_tiny_folder
from edge_seg_bench.device_pipeline import json_lines, measure_overhead, overlay_page
from edge_seg_bench.device_processes import start_program, watch_peak_rss


@pytest.mark.parametrize(("write", "count"), [(write_folder, 5), (write_tiny_folder, 3), (write_tiny_folder, 130)])
def test_folders_hold_as_many_pictures_as_asked(tmp_path: Path, write, count: int) -> None:
    write(tmp_path / "p", count)
    pictures = sorted((tmp_path / "p").iterdir())
    assert len(pictures) == count
    assert read_image(pictures[-1]).shape[2] == 3


def test_each_kind_of_output_has_a_ratio_for_each_round(tmp_path: Path) -> None:
    kinds = {"lines": json_lines, "page": overlay_page}
    measured = measure_overhead(default_model(), tmp_path, kinds, frames=5, rounds=2)
    assert {kind: len(ratios) for kind, ratios in measured.ratios.items()} == {"lines": 2, "page": 2}
    assert measured.bare_ms > 0


def test_the_peak_of_a_program_is_its_own() -> None:
    small = watch_peak_rss(start_program(["sleep", "0.2"]))
    assert 0 < small < 50e6


def test_a_program_that_fails_has_no_peak() -> None:
    with pytest.raises(BenchmarkError, match="exit code"):
        watch_peak_rss(start_program(["false"]))
