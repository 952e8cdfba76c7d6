"""The rules over every result of a run."""

from collections.abc import Callable, Mapping, Sequence

from edge_seg.alerts.event import AlertEvent, Origin, new_id, rule_fields
from edge_seg.alerts.rule import Rule
from edge_seg.alerts.shares import RegionCounter, shares
from edge_seg.alerts.watch import LONGEST_GAP_S, Change, Watch
from edge_seg.result import Result
from edge_seg.sources.frame import Frame, Source

Clock = Callable[[Frame], float]
"""A frame's time in seconds, on a clock that nobody sets."""

OnEvent = Callable[[AlertEvent, Result], None]


class Alarm:
    """Gives every result to every rule and tells of what is raised and cleared.

    `observe` belongs to one thread and is quick; so must `on_event` be. The counts may be read from
    any thread.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        origin: Origin,
        on_event: OnEvent,
        *,
        clock: Clock | None = None,
        longest_gap_s: float = LONGEST_GAP_S,
    ) -> None:
        self.rules = tuple(rules)
        self._watches = [Watch(rule, longest_gap_s=longest_gap_s) for rule in rules]
        self._origin, self._on_event = origin, on_event
        self._clock: Clock = clock or capture_clock
        self._counter = RegionCounter()
        self._incidents: dict[str, str] = {}
        self._raised = {rule.title: 0 for rule in rules}

    @property
    def raised(self) -> Mapping[str, int]:
        """How often each alert was raised so far, by its title."""
        return dict(self._raised)

    @property
    def active(self) -> tuple[str, ...]:
        """The titles of the alerts that are raised and not cleared."""
        return tuple(watch.rule.title for watch in self._watches if watch.state == "active")

    def observe(self, result: Result) -> None:
        """Give one result to every rule."""
        time_s = self._clock(result.frame)
        for watch, share in zip(self._watches, shares(result.segmentation, self.rules, self._counter), strict=True):
            change = watch.observe(time_s, share)
            if change is not None:
                self._on_event(self._event(watch.rule, change, share, result.frame), result)

    def _event(self, rule: Rule, change: Change, share: float, frame: Frame) -> AlertEvent:
        event_id = new_id()
        if change == "raised":
            self._raised[rule.title] += 1
            self._incidents[rule.title] = event_id
        return AlertEvent(
            id=event_id,
            kind=change,
            incident=self._incidents[rule.title],
            **rule_fields(rule),
            share=share,
            time=frame.captured_at,
            device=self._origin.device,
            source=self._origin.source,
            frame=frame.index,
        )


def capture_clock(frame: Frame) -> float:
    """Return when the frame was captured."""
    return frame.captured_monotonic_s


def clock_of(source: Source) -> Clock:
    """Return a video file's own clock, its frame index over its rate; for every other source, that of the capture.

    So "for 3s" means three seconds of the film, however fast it goes through the model.
    """
    fps = source.fps
    if source.live or not fps:
        return capture_clock
    return lambda frame: frame.index / fps
