"""A window on the screen of this machine."""

import os
import re

import cv2

from edge_seg.errors import SinkError
from edge_seg.result import Result
from edge_seg.sinks.sink import SinkOptions

TITLE = "edge-seg"


class WindowSink:
    """Shows every result; the keys q and Esc, and the window's own cross, end the run."""

    needs_main_thread = True

    def __init__(self, options: SinkOptions) -> None:
        check_window_possible()
        self._options = options
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)

    def write(self, result: Result) -> None:
        """Show one result and look at the keyboard."""
        cv2.imshow(TITLE, cv2.cvtColor(self._options.paint(result), cv2.COLOR_RGB2BGR))
        key = cv2.waitKey(1) & 0xFF
        shut = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
        if (shut or key in (ord("q"), 27)) and self._options.on_quit is not None:
            self._options.on_quit()

    def close(self) -> None:
        """Close the window."""
        cv2.destroyAllWindows()


def check_window_possible() -> None:
    """Raise SinkError unless this OpenCV can draw windows and there is a screen.

    It must be checked first: with a GUI and no screen cv2.imshow ends the whole process.
    """
    if not has_gui():
        raise SinkError(
            "window: this OpenCV is the headless one, without windows; write to a file with --out, or "
            "type  pip uninstall opencv-python-headless; pip install opencv-python"
        )
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise SinkError(
            "window: there is no screen (neither DISPLAY nor WAYLAND_DISPLAY is set); write to a file with --out"
        )


def has_gui() -> bool:
    """True when OpenCV was built with a window system."""
    found = re.search(r"^\s*GUI:\s*(\S+)", cv2.getBuildInformation(), re.MULTILINE)
    return found is not None and found.group(1) != "NONE"
