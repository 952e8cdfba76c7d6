"""Finding everything that is wrong with a data set folder, not just the first thing.

findings.py     the kinds of findings, and the report
listing.py      split lists and files
inspection.py   one picture and its mask
comparison.py   all pictures together
"""

from edge_seg.dataset.checks.check import check_dataset
from edge_seg.dataset.checks.findings import KINDS, CheckReport, Finding, Kind, SplitSummary

__all__ = ["KINDS", "CheckReport", "Finding", "Kind", "SplitSummary", "check_dataset"]
