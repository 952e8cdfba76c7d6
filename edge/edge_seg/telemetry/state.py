"""The values that telemetry gives out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from edge_seg.model_identity import ModelIdentity
from edge_seg.telemetry.board import BoardReading

Condition = Literal["starting", "live", "stalled", "trouble", "ended"]


@dataclass(frozen=True)
class Alert:
    """An alert event as it was told."""

    rule: str
    """As the user wrote it, such as 'fire > 2% for 3s'."""
    state: str
    """'raised', 'cleared' or 'test'."""
    time: float
    """Seconds since the epoch."""
    value: float
    """The share that the rule compared, 0 to 1."""


@dataclass(frozen=True)
class SinkFault:
    """A write that failed."""

    sink: str
    """The output, as `--out` names it."""
    sentence: str
    time: float
    """Seconds since the epoch."""


@dataclass(frozen=True)
class SourceState:
    """How the source does."""

    condition: Condition
    sentence: str
    """What is wrong; empty while all is well."""


@dataclass(frozen=True)
class State:
    """How a run stands at one instant."""

    time: float
    """Seconds since the epoch."""
    uptime_s: float
    source: SourceState
    frames: int
    """Results so far."""
    dropped: int
    """Frames that the model had no time for."""
    fps: float
    age_ms: float
    """From capture to result, of the newest result."""
    preprocess_ms: float
    invoke_ms: float
    postprocess_ms: float
    width: int
    """Of the newest frame, pixels; 0 before the first, as is the next."""
    height: int
    last_result_at: float | None
    """Seconds since the epoch."""
    shares: Mapping[str, float]
    """Share of the newest picture's area per class, 0 to 1."""
    board: BoardReading
    model: ModelIdentity | None
    """The one that runs now; None where nobody said."""
    active_alerts: tuple[Alert, ...]
    recent_alerts: tuple[Alert, ...]
    """The newest first."""
    alerts_raised: Mapping[str, int]
    """How often each rule was raised so far."""
    sink_errors: Mapping[str, int]
    """Failed writes per output."""
    last_sink_error: SinkFault | None
    alerts_waiting: Mapping[str, int]
    """Events that each receiver of alerts has not confirmed yet, by the receiver's name."""
    troubles: int
    """How often the source was in trouble."""
    model_updates: Mapping[str, int]
    """How often a new model was accepted, refused or taken_back, and how often looking for one failed."""
