"""The rules over every result of a run."""

from collections.abc import Callable, Mapping, Sequence

from edge_seg.alerts.event import AlertEvent, Origin, new_id, rule_fields
from edge_seg.alerts.rule import Rule
from edge_seg.alerts.shares import RegionCounter, shares
from edge_seg.alerts.watch import LONGEST_GAP_S, Change, Watch
from edge_seg.result import Result
from edge_seg.sources.frame import Frame
from edge_seg.sources.media_time import FrameClock

_GAP_PERIODS = 2

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
        clock: FrameClock,
        period_s: float = 0.0,
    ) -> None:
        self.rules = tuple(rules)
        longest_gap_s = max(LONGEST_GAP_S, _GAP_PERIODS * period_s)
        self._watches = [Watch(rule, longest_gap_s=longest_gap_s) for rule in rules]
        self._origin, self._on_event = origin, on_event
        self._clock = clock
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
