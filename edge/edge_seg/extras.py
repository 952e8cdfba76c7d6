"""The optional extras of the package: what each brings, and the sentence when it is not there."""

from importlib.util import find_spec

from edge_seg.errors import MissingExtraError

# The modules that pyproject.toml's extras bring. The two runtimes are extras of one module each.
EXTRAS: dict[str, tuple[str, ...]] = {
    "data": ("pycocotools", "yaml", "jinja2", "matplotlib"),
    "train": ("tensorflow", "matplotlib", "jinja2"),
    "convert": ("tensorflow", "litert_quantizer", "matplotlib"),
    "onnx": ("tf2onnx", "onnx", "onnxruntime"),
    "report": ("matplotlib", "jinja2"),
    "web": ("starlette", "uvicorn", "prometheus_client"),
    "mqtt": ("paho",),
    "cluster": ("ray", "pyarrow", "fsspec", "s3fs", "gcsfs"),
    "updates": ("cryptography", "urllib3"),
    "peers": ("openvino", "onnxruntime"),
    "pets": ("tensorflow_datasets", "tensorflow"),
    "quickstart": ("tensorflow", "litert_quantizer", "matplotlib", "jinja2", "skimage"),
    "litert": ("ai_edge_litert",),
    "tflite-runtime": ("tflite_runtime",),
}


def missing_module(extra: str) -> str | None:
    """Return the first module of an extra that is not installed, or None when it is whole."""
    return next((module for module in EXTRAS[extra] if find_spec(module) is None), None)


def require_extra(extra: str, *, purpose: str) -> None:
    """Raise MissingExtraError, with the `pip install` line, unless all of an extra is installed."""
    module = missing_module(extra)
    if module is not None:
        raise _missing(module, extra, purpose)


def require_module(module: str, *, extra: str, purpose: str) -> None:
    """Raise MissingExtraError, with the `pip install` line, unless one module of an extra is installed."""
    if find_spec(module) is None:
        raise _missing(module, extra, purpose)


def _missing(module: str, extra: str, purpose: str) -> MissingExtraError:
    return MissingExtraError(
        f"{purpose} needs the package '{module}', which is not installed: type  pip install 'edge-seg[{extra}]'"
    )
