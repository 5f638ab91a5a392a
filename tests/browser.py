"""Pages in headless Chromium, with all that they ask of the network refused and noted."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any, TypeVar
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Route, sync_playwright

WIDE, PHONE = 1280, 360
"""Widths of a screen and of a small phone in CSS pixels."""
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
Seen = TypeVar("Seen")


def find_chromium() -> str | None:
    """Return the program of an installed Chromium."""
    return which("chromium") or which("chromium-browser") or which("google-chrome")


@dataclass(frozen=True, slots=True)
class Opened:
    """A page, what it asked for beside itself, and what it complained of in the console."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def show(self, *, dark: bool = False, width: int = WIDE) -> None:
        self.page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
        self.page.set_viewport_size({"width": width, "height": 800})

    def unfold(self) -> None:
        """Open every part that a reader may open, for axe passes over what is folded."""
        self.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")

    def violations(self, *rules: str) -> list[str]:
        """Return what axe finds by some of its rules, or by all: a line per element, how grave it is, and where."""
        options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        found: list[dict[str, Any]] = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{each['impact']} {each['id']}: {node['target']} {node['html'][:200]}"
            for each in found
            for node in each["nodes"]
        ]

    def overhang(self) -> int:
        """Return by how many CSS pixels the page is wider than the window; what scrolls within it does not count."""
        over: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return over


@dataclass(frozen=True, slots=True)
class Chromium:
    """A browser that lives in a thread of its own, for Playwright keeps an event loop running where it was started."""

    browser: Browser
    thread: ThreadPoolExecutor

    def visit(self, address: Path | str, look: Callable[[Opened], Seen]) -> Seen:
        """Open a file, or an address of a server of the test, and return what `look` sees there.

        Requests for anything beside the file, or of another origin than the server's, are refused and stand in
        `Opened.asked`.
        """
        return self.thread.submit(
            self._visit, address.as_uri() if isinstance(address, Path) else address, look
        ).result()

    def _visit(self, url: str, look: Callable[[Opened], Seen]) -> Seen:
        context = self.browser.new_context()
        try:
            opened = Opened(context.new_page())
            _listen(opened, _own(url))
            opened.show()
            opened.page.goto(url)
            return look(opened)
        finally:
            context.close()


@contextmanager
def launched(program: str) -> Iterator[Chromium]:
    """Start a headless Chromium, and end it after use."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        playwright = thread.submit(sync_playwright().start).result()
        try:
            start = playwright.chromium.launch
            browser = thread.submit(start, executable_path=program, headless=True, args=_FLAGS).result()
            yield Chromium(browser, thread)
            thread.submit(browser.close).result()
        finally:
            thread.submit(playwright.stop).result()


def _own(url: str) -> str:
    """Return with what the address of all that a page may load begins."""
    parts = urlsplit(url)
    return url if parts.scheme == "file" else f"{parts.scheme}://{parts.netloc}/"


def _listen(opened: Opened, own: str) -> None:
    def own_only(route: Route) -> None:
        if route.request.url.startswith(own):
            route.continue_()
        else:
            opened.asked.append(route.request.url)
            route.abort()

    def complained(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            opened.complaints.append(said.text)

    def failed(error: Error) -> None:
        opened.complaints.append(error.message)

    opened.page.route("**/*", own_only)
    opened.page.on("console", complained)
    opened.page.on("pageerror", failed)
