"""What Prometheus knows of a fleet."""

import math
from collections.abc import Set

from edge_seg_bench.endurance.fault_bench import wait_until
from edge_seg_bench.fleet.observed import Scraped
from edge_seg_bench.fleet.prometheus import LABEL, Prometheus

_DOWN_RULE = "CameraDown"
_REPORTED_WITHIN_S = 150.0


def wait_for_rules(prometheus: Prometheus, killed: Set[str]) -> None:
    """Wait until a rule reports the killed cameras, or it is clear that none does."""
    wait_until(lambda: prometheus.firing(_DOWN_RULE) >= killed, _REPORTED_WITHIN_S)


def scraped(prometheus: Prometheus, killed: Set[str], seconds: float) -> Scraped:
    """Ask for what happened in the last so many seconds."""
    span = f"[{math.ceil(seconds)}s]"
    ever_up = prometheus.values(f"max_over_time(up{span})")
    failed = prometheus.values(f"count_over_time(up{span}) - sum_over_time(up{span})")
    raised = prometheus.values(f"sum by ({LABEL}) (edge_seg_alerts_raised_total)")
    return Scraped(
        ever_up=frozenset(name for name, value in ever_up.items() if value == 1),
        down=frozenset(prometheus.values("up == 0")),
        reported_down=frozenset(prometheus.firing(_DOWN_RULE)),
        failed_scrapes=int(sum(count for name, count in failed.items() if name not in killed)),
        raised={name: int(count) for name, count in raised.items()},
    )
