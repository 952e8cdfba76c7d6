"""Execute the lab's notebook in its place: `make notebook`. What its commands print of this folder's path goes."""

import shutil
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent
NOTEBOOK = FOLDER / "segmentation_lab.ipynb"
LONGEST_CELL_S = 1800

if __name__ == "__main__":
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(
        notebook,
        timeout=LONGEST_CELL_S,
        startup_timeout=LONGEST_CELL_S,
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": str(FOLDER)}},
    ).execute()
    shutil.rmtree(FOLDER / "lab")
    NOTEBOOK.write_text(nbformat.writes(notebook).replace(f"{FOLDER}/", ""), encoding="utf-8")
