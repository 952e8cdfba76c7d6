"""One model in OpenVINO or ONNX Runtime, `python -m edge_seg_bench.peers.peer_worker`: the worker of the peers.

It answers the same requests as edge_seg_bench.worker, on the same inputs.
"""

from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from edge_seg.errors import ModelError
from edge_seg.extras import require_module
from edge_seg_bench.memory import peak_rss_bytes
from edge_seg_bench.messages import Finished, Load
from edge_seg_bench.results import UNKNOWN_PRECISION
from edge_seg_bench.serving import Runner, run_worker

PEER_WORKER = "edge_seg_bench.peers.peer_worker"
PEERS = {"openvino": "OpenVINO", "onnxruntime": "ONNX Runtime"}
"""The peers by the name of their package, which is also that of their distribution."""


class PeerRunner(Runner, Protocol):
    """A model in a peer."""

    @property
    def settings(self) -> dict[str, str]:
        """What the peer was told, and what it says it does."""
        ...


class PeerBackend:
    """OpenVINO and ONNX Runtime, an adapter module each."""

    def import_runtime(self, runtime: str) -> str:
        """Import a peer and return its version.

        Raises:
            ModelError: none of PEERS.
            MissingExtraError: it is not installed.
        """
        if runtime not in PEERS:
            raise ModelError(f"no peer is called '{runtime}'; choose one of {', '.join(PEERS)}")
        require_module(runtime, extra="peers", purpose=PEERS[runtime])
        import_module(runtime)
        return version(runtime)

    def load(self, request: Load) -> PeerRunner:
        """Load a model; what the peer throws becomes a sentence."""
        adapter = import_module(f"edge_seg_bench.peers.{request.runtime}_runner")
        path = Path(request.model)
        if not path.is_file():
            raise ModelError(f"{path}: no such model file")
        try:
            return adapter.load(path, request.threads)
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions have no other common base
            reason = " ".join(str(error).split())
            raise ModelError(f"{path}: {PEERS[request.runtime]} cannot load it ({reason})") from None

    def settings(self, runner: PeerRunner) -> dict[str, str]:
        """Return what the adapter set and the peer reports."""
        return runner.settings

    def finish(self, runner: PeerRunner) -> Finished:
        """Read the peak; a peer's graph is not looked into."""
        return Finished(peak_rss_bytes(), UNKNOWN_PRECISION, nodes=0, delegated=0, partitions=0, left_out={})


if __name__ == "__main__":
    run_worker(PeerBackend())
