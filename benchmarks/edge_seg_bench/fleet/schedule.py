"""What is planned for a whole fleet, and which of its cameras are killed."""

from edge_seg_bench.fleet.observed import FleetSettings
from edge_seg_bench.fleet.plan import FPS, PlannedEvent, device_name, plan_camera, planned_events

KILL_AT = 0.75
"""The part of the run after which cameras are killed."""

_KILL_MARGIN_S = 2.0


def plan_fleet(settings: FleetSettings) -> set[PlannedEvent]:
    """Return every event that must arrive."""
    return {
        event
        for number in range(settings.cameras)
        for event in planned_events(
            device_name(number),
            plan_camera(settings.seed, number, frames_of(settings, doomed=number < settings.doomed)),
        )
    }


def killed_cameras(settings: FleetSettings) -> frozenset[str]:
    """Return the names of the cameras that are killed."""
    return frozenset(device_name(number) for number in range(settings.doomed))


def frames_of(settings: FleetSettings, *, doomed: bool) -> int:
    """Return before which frame all incidents of a camera are over."""
    seconds = settings.seconds * KILL_AT - _KILL_MARGIN_S if doomed else settings.seconds
    return int(seconds * FPS)
