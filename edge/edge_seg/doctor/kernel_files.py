"""Reading the small text files in which Linux describes itself."""

from pathlib import Path

ROOT = Path("/")


def read(path: Path) -> str:
    """Return the text of a file of /proc, /sys or /etc without its ending blanks; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \n\t")
    except OSError:
        return ""


def read_number(path: Path) -> int | None:
    """Return the decimal number a file holds, or None."""
    text = read(path)
    return int(text) if text.removeprefix("-").isdecimal() else None


def memory_bytes(name: str, root: Path = ROOT) -> int | None:
    """Return a figure of /proc/meminfo such as "MemTotal" in bytes, or None; see proc_meminfo(5): its kB are KiB."""
    words = key_values(read(root / "proc/meminfo"), ":").get(name, "").split()
    return int(words[0]) * 1024 if words else None


def key_values(text: str, separator: str) -> dict[str, str]:
    """Split lines such as `NAME="Debian"` or `MemTotal: 8000 kB`; of a name that comes twice the first counts."""
    pairs: dict[str, str] = {}
    for line in text.splitlines():
        name, found, value = line.partition(separator)
        if found:
            pairs.setdefault(name.strip(), value.strip().strip('"'))
    return pairs
