"""litert-benchmark, the command that comes with PyPI's ai-edge-litert, runs every model."""

import json
from pathlib import Path

import pytest
from subjects import Subject
from tool_environment import Tool

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]

# The same kernels, called by another interface.
LEAST = {"float32": 1.0, "float16": 1.0, "dynamic": 1.0, "int8": 1.0}
RUNS = 3


@pytest.fixture(scope="session")
def litert(pytestconfig: pytest.Config) -> Tool:
    return Tool.install(pytestconfig.cache, "ai-edge-litert~=2.3")


def test_benchmark_runs(subject: Subject, litert: Tool, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    options = (f"--num_runs={RUNS}", "--warmup_runs=1", f"--result_json={result}")
    litert.run("litert-benchmark", f"--model={subject.model}", *options)
    measured = json.loads(result.read_text())
    assert (measured["signature"], measured["accelerators"]) == ("serving_default", ["CPU"])
    assert measured["latency"]["num_runs"] == RUNS
    assert measured["latency"]["median_ms"] > 0


def test_class_maps_of_what_it_runs(subject: Subject, litert: Tool, tmp_path: Path) -> None:
    told = subject.compare(litert, "litert_class_maps.py", LEAST, tmp_path)
    assert (told["inputs"], told["outputs"]) == (["image"], ["output_0"])
