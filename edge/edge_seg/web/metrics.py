"""The run as Prometheus metrics. Names and units follow https://prometheus.io/docs/practices/naming/."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_seg import __version__
from edge_seg.telemetry import State, Telemetry

_STAGES = ("preprocess", "invoke", "postprocess")


class Metrics:
    """Renders telemetry and the process's memory, descriptors and CPU time as Prometheus text."""

    def __init__(self, telemetry: Telemetry, viewers: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_TelemetryCollector(telemetry, viewers))
        ProcessCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the text and its content type: what the Accept header asks for, the classic format or OpenMetrics."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # of a version that is no number
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type


class _TelemetryCollector(Collector):
    def __init__(self, telemetry: Telemetry, viewers: Callable[[], int]) -> None:
        self._telemetry, self._viewers = telemetry, viewers

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        state = self._telemetry.state()
        yield _info(state)
        yield GaugeMetricFamily("edge_seg_viewers", "Browsers that look at the picture.", self._viewers())
        yield from _rate(state)
        yield from _shares(state)
        yield from _board(state)
        yield from _faults(state)


def _info(state: State) -> Metric:
    labels = {"version": __version__}
    if state.model is not None:
        labels |= {"model": state.model.name, "model_sha256": state.model.sha256}
    if state.model is not None and state.model.version is not None:
        labels |= {"model_version": str(state.model.version)}
    return InfoMetricFamily("edge_seg", "Version and model.", labels)


def _rate(state: State) -> Iterator[Metric]:
    yield CounterMetricFamily("edge_seg_frames", "Frames that went through the model.", state.frames)
    yield CounterMetricFamily("edge_seg_frames_dropped", "Frames the model had no time for.", state.dropped)
    yield GaugeMetricFamily("edge_seg_frames_per_second", "Results per second; 0 when the source is silent.", state.fps)
    if state.last_result_at is None:
        return
    yield GaugeMetricFamily(
        "edge_seg_last_result_timestamp_seconds", "When the newest result was made.", state.last_result_at
    )
    yield GaugeMetricFamily("edge_seg_frame_age_seconds", "From capture to result.", state.age_ms / 1000)
    stages = GaugeMetricFamily("edge_seg_stage_seconds", "Time spent on the newest frame.", labels=["stage"])
    for stage in _STAGES:
        stages.add_metric([stage], getattr(state, f"{stage}_ms") / 1000)
    yield stages


def _shares(state: State) -> Iterator[Metric]:
    shares = GaugeMetricFamily("edge_seg_area_share", "Share of the picture's area, 0 to 1.", labels=["class"])
    for name, share in state.shares.items():
        shares.add_metric([name], share)
    yield shares


def _board(state: State) -> Iterator[Metric]:
    if state.board.temperature_c is not None:
        yield GaugeMetricFamily("edge_seg_temperature_celsius", "The processor's.", state.board.temperature_c)
    if state.board.throttling is not None:
        now = any(reason.endswith(" now") for reason in state.board.throttling)
        yield GaugeMetricFamily("edge_seg_throttled", "1 while the board is held back.", int(now))
        since = GaugeMetricFamily("edge_seg_throttling", "What holds the board back, or did.", labels=["reason"])
        for reason in state.board.throttling:
            since.add_metric([reason], 1)
        yield since


def _faults(state: State) -> Iterator[Metric]:
    yield GaugeMetricFamily("edge_seg_source_up", "1 while pictures come.", int(state.source.condition == "live"))
    yield CounterMetricFamily("edge_seg_source_troubles", "How often the source was in trouble.", state.troubles)
    active = GaugeMetricFamily("edge_seg_alert_active", "1 while the rule holds.", labels=["rule"])
    raised = CounterMetricFamily("edge_seg_alerts_raised", "How often the rule was raised.", labels=["rule"])
    holding = {alert.rule for alert in state.active_alerts}
    for rule, count in state.alerts_raised.items():
        active.add_metric([rule], int(rule in holding))
        raised.add_metric([rule], count)
    yield active
    yield raised
    errors = CounterMetricFamily("edge_seg_sink_errors", "Writes that failed.", labels=["sink"])
    for sink, count in state.sink_errors.items():
        errors.add_metric([sink], count)
    yield errors
    updates = CounterMetricFamily("edge_seg_model_updates", "What came of new models.", labels=["outcome"])
    for outcome, count in state.model_updates.items():
        updates.add_metric([outcome], count)
    yield updates
