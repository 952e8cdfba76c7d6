"""What Prometheus knows of a fleet."""

import math
from collections.abc import Mapping, Set

from edge_seg_bench.fleet.observed import Scraped
from edge_seg_bench.fleet.prometheus import LABEL, Prometheus
from edge_seg_bench.waiting import wait_until

_DOWN_RULE = "CameraDown"
_TOLD_WITHIN_S = 150.0


def wait_until_told(prometheus: Prometheus, killed: Set[str], raised: Mapping[str, int]) -> None:
    """Wait until Prometheus reports the killed cameras and counts the others' alerts, or it is clear that it will not.

    Args:
        prometheus: which one.
        killed: names of cameras.
        raised: how many alerts each of the others raised.
    """

    def told() -> bool:
        counts = _raised(prometheus)
        return prometheus.firing(_DOWN_RULE) >= killed and all(counts.get(name) == raised[name] for name in raised)

    wait_until(told, _TOLD_WITHIN_S)


def scraped(prometheus: Prometheus, killed: Set[str], seconds: float) -> Scraped:
    """Ask for what happened in the last so many seconds."""
    span = f"[{math.ceil(seconds)}s]"
    ever_up = prometheus.values(f"max_over_time(up{span})")
    failed = prometheus.values(f"count_over_time(up{span}) - sum_over_time(up{span})")
    return Scraped(
        ever_up=frozenset(name for name, value in ever_up.items() if value == 1),
        reported_down=frozenset(prometheus.firing(_DOWN_RULE)),
        failed_scrapes=int(sum(count for name, count in failed.items() if name not in killed)),
        raised=_raised(prometheus),
    )


def _raised(prometheus: Prometheus) -> dict[str, int]:
    counts = prometheus.values(f"sum by ({LABEL}) (edge_seg_alerts_raised_total)")
    return {name: int(count) for name, count in counts.items()}
