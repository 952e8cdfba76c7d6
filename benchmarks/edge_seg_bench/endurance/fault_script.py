"""The object that comes and goes in front of the camera, so that the number of alerts is known."""

import threading

from edge_seg_bench.endurance.fault_bench import NOTHING, OBJECT, Bench

_TICK_S = 0.5
_HEALTHY_TICKS = 6  # 3 s in which frames went through the model, six times what the rule asks for


class Script(threading.Thread):
    """Shows the object and takes it away again; each lasts until the camera saw it for a while without a fault."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(name="script", daemon=True)
        self.shown = 0
        """How often the object was shown, each of them long enough."""
        self._bench = bench
        self._ending = threading.Event()
        self.start()

    def run(self) -> None:
        """Show and take away until asked to end; the last alert is cleared then."""
        self._hold(NOTHING)
        while not self._ending.is_set():
            self._hold(OBJECT)
            self.shown += 1
            self._hold(NOTHING)

    def finish(self, timeout_s: float) -> bool:
        """End with an empty scene; tell whether that was reached in time."""
        self._ending.set()
        self.join(timeout_s)
        return not self.is_alive()

    def _hold(self, scene: str) -> None:
        self._bench.stream.scene = scene
        healthy, frames = 0, self._bench.frames()
        while healthy < _HEALTHY_TICKS and self._bench.camera.exit_code is None:
            threading.Event().wait(_TICK_S)
            before, frames = frames, self._bench.frames()
            healthy = healthy + 1 if frames > before and self._bench.stream.mode == "live" else 0
