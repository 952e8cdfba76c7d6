"""One .tflite model in one process, `python -m edge_seg_bench.worker`: answers requests on stdin (see messages.py)."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edge_seg.runtimes import Engine, load_engine
from edge_seg_bench.memory import peak_rss_bytes
from edge_seg_bench.messages import Finished, Load
from edge_seg_bench.serving import run_worker

# Runtime: (module whose import is costly, distribution that carries the version).
_RUNTIME_PACKAGES = {
    "litert": ("ai_edge_litert.interpreter", "ai-edge-litert"),
    "tflite_runtime": ("tflite_runtime.interpreter", "tflite-runtime"),
}


class TfliteBackend:
    """The runtimes of edge_seg.runtimes."""

    def import_runtime(self, runtime: str) -> str:
        """Import a runtime and return its version; load_engine has the sentence for one that is not there."""
        return import_runtime(runtime)

    def load(self, request: Load) -> Engine:
        """Load a .tflite file; see load_engine."""
        return load_engine(Path(request.model), runtime=request.runtime, threads=request.threads)

    def settings(self, runner: Engine) -> dict[str, str]:
        """Return nothing: it is told the threads alone."""
        return {}

    def finish(self, runner: Engine) -> Finished:
        """Read the peak before anything else is imported, then look into the graph."""
        peak = peak_rss_bytes()
        from edge_seg.inspection import delegate_coverage, guess_precision

        coverage = delegate_coverage(runner.operations)
        return Finished(
            peak,
            guess_precision(runner),
            nodes=coverage.nodes,
            delegated=coverage.delegated,
            partitions=coverage.partitions,
            left_out=coverage.left_out,
        )


def import_runtime(runtime: str) -> str:
    """Import a runtime and return its version, "" when it is not installed."""
    if runtime not in _RUNTIME_PACKAGES:
        return ""
    module, distribution = _RUNTIME_PACKAGES[runtime]
    try:
        import_module(module)
        return version(distribution)
    except (ImportError, PackageNotFoundError):
        return ""


if __name__ == "__main__":
    run_worker(TfliteBackend())
