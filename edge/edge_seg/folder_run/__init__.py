"""A folder of pictures through a model on all cores, that goes on where it was interrupted.

Processes read, segment and write the pictures of folders (masks, overlays); what has an order, such as JSON lines,
is written by the one that started them, in the order of the pictures' names.
"""

from edge_seg.folder_run.outputs import Output, outputs_of
from edge_seg.folder_run.running import FolderRun, FolderSummary, run_folder
from edge_seg.folder_run.work import Work

__all__ = ["FolderRun", "FolderSummary", "Output", "Work", "outputs_of", "run_folder"]
