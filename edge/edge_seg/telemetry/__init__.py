"""How a run stands, for those who ask from other threads: the live page, the metrics, a health check."""

from edge_seg.telemetry.board import Board, BoardReading
from edge_seg.telemetry.history import ShareHistory
from edge_seg.telemetry.state import Alert, Condition, SinkFault, SourceState, State
from edge_seg.telemetry.telemetry import Telemetry

__all__ = [
    "Alert",
    "Board",
    "BoardReading",
    "Condition",
    "ShareHistory",
    "SinkFault",
    "SourceState",
    "State",
    "Telemetry",
]
