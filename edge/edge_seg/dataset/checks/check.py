"""The check as a whole."""

from collections.abc import Mapping
from functools import partial

from edge_seg.dataset.checks.comparison import misplaced_masks, scarce_classes, similar_pictures, summarise
from edge_seg.dataset.checks.findings import CheckReport, in_order
from edge_seg.dataset.checks.inspection import Inspected, inspect_sample
from edge_seg.dataset.checks.listing import Listing, list_samples
from edge_seg.dataset.folder import Dataset
from edge_seg.parallel import map_in_processes
from edge_seg.progress import Track, untracked


def check_dataset(dataset: Dataset, *, track: Track = untracked) -> CheckReport:
    """Decode every listed picture and its mask and collect all that is wrong; KINDS says what that can be.

    Garbage in the folder becomes findings, never an error. Of each picture about 13 kB are kept.
    """
    listing = list_samples(dataset.folder)
    inspected = _inspect_all(dataset, listing, track)
    splits = summarise(dataset, listing, inspected)
    findings = [
        *listing.findings,
        *(finding for item in inspected.values() for finding in item.findings),
        *scarce_classes(dataset.classes, splits),
        *similar_pictures(listing, inspected, track),
        *misplaced_masks(inspected),
    ]
    return CheckReport(in_order(findings), splits)


def _inspect_all(dataset: Dataset, listing: Listing, track: Track) -> Mapping[str, Inspected]:
    samples = list(listing.samples.values())
    results = map_in_processes(partial(inspect_sample, dataset), samples)
    return dict(zip(listing.samples, track(results, total=len(samples)), strict=True))
