"""A page is opened in the browser of the person who started the server."""

import os
import sys
import threading
import time
import urllib.request
import webbrowser
from typing import Final

_TRIES: Final = 600
_PAUSE: Final = 0.2


def open_once_it_answers(address: str) -> None:
    """Open an address as soon as the server there is ready; without a display nothing is done, and nothing waits."""
    if has_display():
        threading.Thread(target=_open, args=(address,), daemon=True).start()


def has_display() -> bool:
    """Return whether a browser has where to show itself; in a bare terminal a text browser would take it over."""
    windows = sys.platform in ("darwin", "win32")
    return windows or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _open(address: str) -> None:
    for _ in range(_TRIES):
        try:
            urllib.request.urlopen(f"{address}/ready", timeout=5).close()
        except OSError:
            time.sleep(_PAUSE)
        else:
            webbrowser.open(address)
            return
