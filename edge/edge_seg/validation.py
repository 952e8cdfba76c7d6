"""pydantic's errors in a few words."""

from pydantic import ValidationError


def first_fault(error: ValidationError) -> str:
    """Say the first thing that was refused, as `key: reason`."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{key}: {first['msg'].removeprefix('Value error, ')}"
