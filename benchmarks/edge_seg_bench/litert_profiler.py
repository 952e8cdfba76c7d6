"""LiteRT's own profiler, by its C interface: the time of each operation, those inside XNNPACK included.

No Python call of ai-edge-litert reaches it; `libLiteRt.so` of the same package exports it. Functions and structures:
https://github.com/google-ai-edge/LiteRT, litert/c (litert_compiled_model.h, litert_profiler.h,
litert_profiler_event.h, options/litert_runtime_options.h). Seen to work with 2.1.6, 2.2.0 and 2.3.0.

A process profiles one model and ends: nothing is given back.
"""

import ctypes
from collections.abc import Callable
from ctypes import byref, c_char_p, c_int, c_int64, c_size_t, c_uint64, c_void_p
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edge_seg.errors import BenchmarkError
from edge_seg.extras import require_extra

OLDEST_VERSION = (2, 1, 6)
BUILT_IN, DELEGATED = 1 << 1, 1 << 3
"""Event types: an operation run by the runtime's own kernel, and one that a delegate ran and timed."""

_CPU = 1
_FIRST_SIGNATURE = c_size_t(0)
_TENSOR_TYPE_BYTES = 512
_WRITE = 1
_UNWRITTEN = b"\xa5"

Event = tuple[str, int, int, int]
"""Tag, event type, index of the operation (in the file, or in its delegate) and whole microseconds."""


class _Event(ctypes.Structure):
    """ProfiledEventData."""

    _fields_ = [
        ("tag", c_char_p),
        ("event_type", c_int),
        ("start_us", c_uint64),
        ("elapsed_us", c_uint64),
        ("memory_before", c_int64 * 3),
        ("memory_after", c_int64 * 3),
        ("index", c_uint64),
        ("subgraph", c_uint64),
        ("source", c_int),
    ]


class LitertProfiler:
    """A model that is loaded with the profiler on."""

    def __init__(self, path: Path, threads: int) -> None:
        """Load a model.

        Raises:
            BenchmarkError: this LiteRT is too old, or one of its functions failed.
            MissingExtraError: LiteRT is not installed.
        """
        self._library = _load_library()
        self._kept: list[object] = []  # what the library points to
        environment = self._new("LiteRtCreateEnvironment", 0, None)
        model = self._new("LiteRtCreateModelFromFile", environment, str(path).encode())
        self._model = self._new("LiteRtCreateCompiledModel", environment, model, self._options(threads))
        self._profiler = self._new("LiteRtCompiledModelGetProfiler", self._model)
        signature = self._new("LiteRtGetModelSignature", model, _FIRST_SIGNATURE)
        self._inputs = self._buffers("Input", environment, signature)
        self._outputs = self._buffers("Output", environment, signature)

    def fill(self, values_of_size: Callable[[int], bytes]) -> None:
        """Write the bytes that `values_of_size` gives for a number of bytes into each input."""
        for buffer in self._inputs:
            size, address = c_size_t(), c_void_p()
            self._call("LiteRtGetTensorBufferPackedSize", c_void_p(buffer), byref(size))
            self._call("LiteRtLockTensorBuffer", c_void_p(buffer), byref(address), _WRITE)
            assert address.value is not None
            ctypes.memmove(address.value, values_of_size(size.value), size.value)
            self._call("LiteRtUnlockTensorBuffer", c_void_p(buffer))

    def run(self) -> None:
        """Run the graph, untimed."""
        inputs, outputs = self._inputs, self._outputs
        counts = c_size_t(len(inputs)), c_size_t(len(outputs))
        self._call("LiteRtRunCompiledModel", self._model, _FIRST_SIGNATURE, counts[0], inputs, counts[1], outputs)

    def traced_run(self) -> list[Event]:
        """Run the graph; return what was timed, in order: operations, and events of other types around them."""
        self._call("LiteRtStartProfiler", self._profiler)
        self.run()
        self._call("LiteRtStopProfiler", self._profiler)
        events = self._events()
        self._call("LiteRtResetProfiler", self._profiler)
        return events

    def _events(self) -> list[Event]:
        count = c_int()
        self._call("LiteRtGetNumProfilerEvents", self._profiler, byref(count))
        room = 2 * count.value * ctypes.sizeof(_Event)
        memory = ctypes.create_string_buffer(_UNWRITTEN * room, room)
        self._call("LiteRtGetProfilerEvents", self._profiler, count, memory)
        _check_layout(memory.raw, count.value)
        events = (_Event * count.value).from_buffer(memory)
        return [(event.tag.decode(), event.event_type, event.index, event.elapsed_us) for event in events]

    def _options(self, threads: int) -> c_void_p:
        options = self._new("LiteRtCreateOptions")
        self._call("LiteRtSetOptionsHardwareAccelerators", options, _CPU)
        settings = {"runtime_options_string": "enable_profiling = true", "xnnpack": f"num_threads = {threads}"}
        for name, toml in settings.items():
            text, no_destructor = ctypes.create_string_buffer(toml.encode()), _Destructor(_leave)
            self._kept += [text, no_destructor]
            added = self._new("LiteRtCreateOpaqueOptions", name.encode(), text, no_destructor)
            self._call("LiteRtAddOpaqueOptions", options, added)
        return options

    def _buffers(self, side: str, environment: c_void_p, signature: c_void_p) -> "ctypes.Array[c_void_p]":
        """Make a buffer for each input or output of the model."""
        count = c_size_t()
        self._call(f"LiteRtGetNumSignature{side}s", signature, byref(count))
        made = [self._buffer(side, c_size_t(index), environment, signature) for index in range(count.value)]
        return (c_void_p * len(made))(*made)

    def _buffer(self, side: str, index: c_size_t, environment: c_void_p, signature: c_void_p) -> int | None:
        tensor = self._new(f"LiteRtGetSignature{side}TensorByIndex", signature, index)
        kind = ctypes.create_string_buffer(_TENSOR_TYPE_BYTES)
        self._call("LiteRtGetRankedTensorType", tensor, kind)
        needs = self._new(f"LiteRtGetCompiledModel{side}BufferRequirements", self._model, _FIRST_SIGNATURE, index)
        return self._new("LiteRtCreateManagedTensorBufferFromRequirements", environment, kind, needs).value

    def _new(self, name: str, *arguments: Any) -> c_void_p:
        """Call a function whose last argument is where it puts a handle."""
        handle = c_void_p()
        self._call(name, *arguments, byref(handle))
        return handle

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._library, name)(*arguments)
        if status != 0:
            raise BenchmarkError(
                f"LiteRT {version('ai-edge-litert')} gave no profile: {name} ended with status {status}"
            )


_Destructor = ctypes.CFUNCTYPE(None, c_void_p)


def _leave(_address: int | None) -> None:
    """Destroy nothing: Python owns the text."""


def _load_library() -> ctypes.CDLL:
    require_extra("litert", purpose="the profile of a model")
    installed = version("ai-edge-litert")
    if _numbers(installed) < OLDEST_VERSION:
        oldest = ".".join(str(number) for number in OLDEST_VERSION)
        raise BenchmarkError(f"LiteRT {installed} has no profile; `pip install 'ai-edge-litert>={oldest}'` has")
    spec = find_spec("ai_edge_litert")
    assert spec is not None
    assert spec.origin is not None
    try:
        return ctypes.CDLL(str(Path(spec.origin).parent / "libLiteRt.so"))
    except OSError as error:
        raise BenchmarkError(f"LiteRT's library cannot be loaded for a profile ({error})") from None


def _numbers(text: str) -> tuple[int, ...]:
    """Read "2.3.0" or "2.4.0rc1"; what is no number ends it."""
    numbers: list[int] = []
    for part in text.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _check_layout(memory: bytes, count: int) -> None:
    """Refuse events of another size than this module reads: their library is of another version."""
    written = len(memory.rstrip(_UNWRITTEN))
    size = ctypes.sizeof(_Event)
    if not (count - 1) * size < written <= count * size:
        raise BenchmarkError(
            f"LiteRT {version('ai-edge-litert')} gives {count} events in {written} bytes, not in {count * size}: "
            "its profile cannot be read, and all else is measured as ever"
        )
