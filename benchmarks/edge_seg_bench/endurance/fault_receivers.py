"""Those whom the camera tells: a broker in a process that can be killed, and a webhook that can fail."""

import http.server
import json
import signal
import socketserver
import threading
from pathlib import Path
from typing import Any, Literal

from edge_seg_bench.mosquitto import Mosquitto
from edge_seg_bench.ports import free_port

TOPIC = "edge-seg/faults"
_SILENCE_S = 30.0


class Broker:
    """mosquitto, with a witness that takes down the id of every event.

    The broker keeps the witness's session on the disk, so that what comes while the witness is away is not lost:
    whatever is missing in the end was lost by the camera.
    """

    def __init__(self, folder: Path) -> None:
        self.events: dict[str, str] = {}
        """Kind by id."""
        self.messages = 0
        port = free_port()
        settings = (
            f"listener {port} 127.0.0.1",
            "allow_anonymous true",
            "autosave_on_changes true",
            "autosave_interval 1",
        )
        self._mosquitto = Mosquitto(folder, port, settings)
        self._witness = self._make_witness()

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return self._mosquitto.port

    def start(self) -> None:
        """Start the broker again, and wait until it answers."""
        self._mosquitto.start()

    def kill(self) -> None:
        """Kill the broker (SIGKILL)."""
        self._mosquitto.end(signal.SIGKILL)

    def close(self) -> None:
        """End the witness and the broker."""
        self._witness.disconnect()
        self._witness.loop_stop()
        self._mosquitto.close()

    def _make_witness(self) -> Any:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        witness: Any = Client(CallbackAPIVersion.VERSION2, client_id="witness", clean_session=False)
        witness.on_connect = self._subscribe
        witness.on_message = self._take_down
        witness.reconnect_delay_set(min_delay=1, max_delay=1)
        witness.connect("127.0.0.1", self.port)
        witness.loop_start()
        return witness

    def _subscribe(self, witness: Any, *_: object) -> None:
        witness.subscribe(f"{TOPIC}/#", qos=1)

    def _take_down(self, _witness: object, _data: object, message: Any) -> None:
        self.messages += 0 if message.retain else 1
        if message.topic == f"{TOPIC}/events":
            event = json.loads(message.payload)
            self.events[event["id"]] = event["event"]


class Webhook:
    """Takes down the id of every event that it has confirmed."""

    def __init__(self) -> None:
        self.mode: Literal["well", "failing", "silent"] = "well"
        self.events: dict[str, str] = {}
        self._closed = threading.Event()
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                webhook._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/alerts"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        event = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        mode = self.mode
        if mode == "silent":
            self._closed.wait(_SILENCE_S)
            return
        if mode == "well":
            self.events[event["id"]] = event["event"]
        request.send_response(200 if mode == "well" else 503)
        request.end_headers()
