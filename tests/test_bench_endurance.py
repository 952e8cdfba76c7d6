"""Soaks and faults: their parts, and a short run of each."""

import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_seg_bench.endurance.fault_files import find_broken
from edge_seg_bench.endurance.fault_plan import plan_faults
from edge_seg_bench.endurance.fault_run import _lost
from edge_seg_bench.endurance.processes import Sample, growth
from edge_seg_bench.endurance.soak_report import make_report

pytest.importorskip("matplotlib", reason="needs edge-seg[report]")


@pytest.mark.parametrize(
    ("values", "grown"),
    [
        ([7.0] * 10, 0.0),
        ([0.0, *range(1, 10)], 8.0),
        ([0.0] * 2 + [100.0] * 18, 0.0),  # only the warm-up grew
        ([5.0] * 19 + [90.0], 42.5),
        ([5.0] * 39 + [90.0], 0.0),  # one sample is no growth
    ],
)
def test_growth_is_that_after_the_warm_up(values: list[float], grown: float) -> None:
    assert growth(values) == grown


def test_growth_needs_ten_values() -> None:
    with pytest.raises(ValueError, match="9 values are too few"):
        growth([1.0] * 9)


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({}, ()),
        ({"frames": 99}, ("99 of 100 frames were segmented",)),
        ({"exit_code": 1}, ("the camera ended with exit code 1",)),
        ({"viewer_bytes": [5, 0]}, ("a viewer was sent nothing",)),
        ({"rss_bytes": 700_000}, ("memory grew by 5.6 MB",)),
        ({"rss_bytes": 600_000}, ()),
        ({"descriptors": 1}, ("8 descriptors leaked",)),
    ],
)
def test_targets_of_a_soak(change: dict[str, int], missed: tuple[str, ...]) -> None:
    rss, descriptors = change.pop("rss_bytes", 0), change.pop("descriptors", 0)
    samples = [Sample(i, 10**8 + i * rss, 9 + max(i, 1) * descriptors, 4) for i in range(11)]
    figures = {"outputs": [], "frames_asked": 100, "frames": 100, "exit_code": 0, "viewer_bytes": [1], **change}
    assert make_report(samples, **figures).missed == missed


def test_the_seed_decides_on_the_faults() -> None:
    stream, outlets = ("a", "b", "c"), ("x", "y")

    def first(seed: int) -> list:
        return list(itertools.islice(plan_faults(stream, outlets, seed), 50))

    assert first(3) == first(3)
    assert first(3) != first(4)
    for turn in range(10):
        assert {fault.names[0] for fault in first(3)[turn * 5 : turn * 5 + 5]} == {*stream, *outlets}
    pairs = [fault.names for fault in first(3) if len(fault.names) == 2]
    assert pairs
    assert all((one in stream) != (other in stream) for one, other in pairs)


def test_what_a_receiver_lacks_is_lost() -> None:
    events = {"file": {"1": "raised", "2": "cleared"}, "MQTT": {"2": "cleared"}, "webhook": {"3": "raised"}}
    assert _lost(events) == {"file": 1, "MQTT": 2, "webhook": 2}


def test_broken_files_are_found(tmp_path: Path) -> None:
    from edge_seg.images import write_image

    write_image(tmp_path / "whole.jpg", np.zeros((8, 8, 3), np.uint8))
    contents = {
        "whole.jsonl": b'{"a": 1}\n',
        "torn.jsonl": b'{"a": 1}\n{"a"',
        "bad.jsonl": b"{\n",
        "whole.csv": b"a,b\n1,2\n",
        "ragged.csv": b"a,b\n1,2,3\n",
        "bad.mp4": b"no video",
        "bad.jpg": b"no picture",
        ".overlay.12.part.mp4": b"",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    found = {sentence.partition(": ")[0] for sentence in find_broken(tmp_path)}
    assert found == {"torn.jsonl", "bad.jsonl", "ragged.csv", "bad.mp4", "bad.jpg", ".overlay.12.part.mp4"}


def test_a_short_soak(tmp_path: Path) -> None:
    pytest.importorskip("starlette", reason="needs edge-seg[web]")
    out = tmp_path / "soak.json"
    command = [sys.executable, "-m", "edge_seg_bench.soak", "--frames", "300", "--interval-s", "0.1", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert out.exists(), done.stderr
    report = json.loads(out.read_text())
    assert (report["frames"], report["exit_code"]) == (300, 0), done.stderr
    assert min(report["viewer_mb"]) > 0
    assert out.with_suffix(".png").exists()
    assert "growth of memory" in out.with_suffix(".md").read_text()


def test_a_few_faults(tmp_path: Path) -> None:
    pytest.importorskip("starlette", reason="needs edge-seg[web]")
    pytest.importorskip("paho", reason="needs edge-seg[mqtt]")
    pytest.importorskip("skimage", reason="needs edge-seg[quickstart]")
    if shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    out = tmp_path / "faults.json"
    command = [sys.executable, "-m", "edge_seg_bench.faults", "--minutes", "0.1", "--seed", "7", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert out.exists(), done.stderr
    report = json.loads(out.read_text())
    assert report["faults"], done.stdout
    assert set(report["lost"].values()) == {0}, done.stdout
    assert report["raised"] == report["cleared"] == report["times_shown"] > 0
    assert (report["exit_code"], report["tracebacks"], report["broken_files"]) == (0, 0, []), done.stdout
