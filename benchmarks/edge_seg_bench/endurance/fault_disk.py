"""A small disk in memory for the camera's files, which can be filled up."""

import os
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from edge_seg_bench.arm64.programs import run

SIZE_MB = 64
_BLOCK = bytes(2**14)


class SmallDisk:
    """A tmpfs on a folder; needs root."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._ballast = folder / ".ballast"
        self._filling = threading.Event()
        self._thread: threading.Thread | None = None
        run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)], doing="mounting a small disk")

    def fill(self) -> None:
        """Fill the disk to the last block, and keep it full."""
        self._filling.set()
        self._thread = threading.Thread(target=self._keep_full, daemon=True)
        self._thread.start()

    def empty(self) -> None:
        """Give the room back."""
        self._filling.clear()
        if self._thread is not None:
            self._thread.join()
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Take the disk away with all that is on it."""
        self.empty()
        subprocess.run(["umount", "--lazy", str(self.folder)], check=False)

    def _keep_full(self) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            while self._filling.is_set():
                with suppress(OSError):
                    while self._filling.is_set():
                        file.write(_BLOCK)
                threading.Event().wait(0.05)


def may_mount() -> bool:
    """Tell whether this user may mount a disk."""
    return os.geteuid() == 0
