"""The notebook of the lab: as it was executed, and executed anew at a smaller size.

After a change: `make notebook`, and look at its pictures.
"""

import os
import re
import sys
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient", reason="needs edge-seg[test]")
nbformat = pytest.importorskip("nbformat", reason="needs edge-seg[test]")

NOTEBOOK = Path(__file__).parents[1] / "examples" / "segmentation_lab.ipynb"
SMALL = "PICTURES = 24\nEPOCHS = 2\nENCODER_WEIGHTS = 'none'"
LARGEST_SIZE_BYTES = 1_500_000


def test_it_is_kept_as_it_was_executed() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [output for cell in cells for output in cell.outputs if output.output_type == "error"] == []
    assert sum("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs) >= 5


def test_it_is_small_and_says_nothing_of_the_machine_it_ran_on() -> None:
    assert NOTEBOOK.stat().st_size < LARGEST_SIZE_BYTES
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    assert "pictures written to lab/leaves" in printed
    assert re.findall(r"/(?:home|root|tmp|work|Users|usr|var|opt)/.*", printed + str(notebook.metadata)) == []


@pytest.mark.timeout(1800)  # four commands with TensorFlow, on whatever machine
def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorflow", reason="needs edge-seg[train]")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", ()):
            cell.source = SMALL
    client = nbclient.NotebookClient(
        notebook, timeout=900, startup_timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    assert (tmp_path / "lab" / "models" / "run_int8.tflite").is_file()
