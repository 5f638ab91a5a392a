r"""Takes the pictures of docs/images: serves a bundle, opens its pages in headless Chromium, and saves what is seen.

    python docs/take_screenshots.py runs/demo/bundle --taxonomy runs/demo/data/taxonomy.txt \
        --compare runs/small/bundle --report runs/demo --review review.csv

A review is begun for the pictures, so give a copy of the file.
Options that it does not know are handed to `shopglot serve`.
"""

import argparse
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES: Final = Path(__file__).parent / "images"
WIDE: Final = 1200
PHONE: Final = 360
_HEIGHT: Final = 960
_SECONDS: Final = 900
"""How long a server may take until it is ready: the vectors of a large tree take their time."""
_ASKED: Final = {
    "de": "hundebett",
    "ja": "ワイヤレスイヤホン",
    "ar": "سماعات لاسلكية",
    "th": "กระเป๋าเดินทาง",
    "es": "zapatillas de correr",
    "en": "dog bed",
}
_KEYS: Final = "ffkfsffkfdf"
"""What is decided before the picture of a review is taken."""


def main() -> None:
    """Take all pictures that the server has pages for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--out", type=Path, default=IMAGES)
    known, handed_on = parser.parse_known_args()
    known.out.mkdir(parents=True, exist_ok=True)
    with _served(known.bundle, handed_on) as address, _chromium() as browser:
        _ask(address)
        pages = _there(browser, address)
        for name, take in PICTURES.items():
            if take.__name__.lstrip("_") in pages:
                take(browser, address, known.out / f"{name}.png")


def _try(browser: Browser, address: str, file: Path) -> None:
    dark, phone = "dark" in file.stem, "phone" in file.stem
    page = _page(browser, f"{address}/try", dark=dark, width=PHONE if phone else WIDE)
    page.fill("#query", _ASKED["ar" if phone else "ja"])
    _settled(page)
    page.locator("button.why").first.click()
    page.wait_for_selector(".words")
    _settled(page)
    _save(page, file)


def _compare(browser: Browser, address: str, file: Path) -> None:
    page = _page(browser, f"{address}/compare")
    _settled(page)
    _save(page, file)


def _status(browser: Browser, address: str, file: Path) -> None:
    page = _page(browser, f"{address}/status")
    _settled(page)
    _save(page, file)


def _report(browser: Browser, address: str, file: Path) -> None:
    page = _page(browser, f"{address}/report", width=PHONE if "phone" in file.stem else WIDE)
    page.frame_locator("iframe").locator("h1").wait_for()
    _save(page, file)


def _review(browser: Browser, address: str, file: Path) -> None:
    dark, phone = "dark" in file.stem, "phone" in file.stem
    page = _page(browser, f"{address}/review", dark=dark, width=PHONE if phone else WIDE)
    page.fill("#name", "Mina" if phone else "Ana")
    page.click("main button")
    page.wait_for_selector("#pair")
    page.wait_for_load_state()
    if file.stem == "reviewed":
        page.goto(f"{address}/review/decided")
    elif not phone:
        for key in _KEYS:
            with page.expect_response("**/review?*"):
                page.keyboard.press(key)
        page.wait_for_timeout(200)
    _save(page, file)


PICTURES: Final = {
    "try": _try,
    "try-dark": _try,
    "try-phone": _try,
    "compare": _compare,
    "status": _status,
    "report": _report,
    "report-phone": _report,
    "review": _review,
    "review-phone": _review,
    "reviewed": _review,
}
"""What is taken, by the name of its file."""


def _page(browser: Browser, address: str, *, dark: bool = False, width: int = WIDE) -> Page:
    page = browser.new_context(
        viewport={"width": width, "height": _HEIGHT}, color_scheme="dark" if dark else "light"
    ).new_page()
    page.goto(address)
    return page


def _settled(page: Page) -> None:
    """Wait until every part of the page is there and no answer is awaited."""
    page.wait_for_timeout(400)  # longer than the script waits for another key
    page.wait_for_selector("[aria-busy], [data-part]:not(:has(*))", state="detached", timeout=60_000)


def _save(page: Page, file: Path) -> None:
    page.screenshot(path=file)
    page.context.close()
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


def _there(browser: Browser, address: str) -> set[str]:
    """Return the names of the pages that the navigation leads to."""
    page = _page(browser, address)
    links = page.eval_on_selector_all("header nav a", "each => each.map(one => one.getAttribute('href'))")
    page.context.close()
    return {link.strip("/") for link in links}


def _ask(address: str) -> None:
    """Let there be something to count."""
    for language, query in _ASKED.items():
        for _ in range(3):
            body = {"query": query, "language": language, "below_threshold": True}
            request = urllib.request.Request(
                f"{address}/v1/categories", json.dumps(body).encode(), {"content-type": "application/json"}
            )
            urllib.request.urlopen(request, timeout=60).close()


@contextmanager
def _served(bundle: Path, options: list[str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "shopglot", "serve", str(bundle), "--port", str(port), *options]
    with subprocess.Popen(command) as server:
        try:
            yield _ready(server, f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def _ready(server: "subprocess.Popen[bytes]", address: str) -> str:
    for _ in range(_SECONDS):
        if server.poll() is not None:
            raise SystemExit(f"the server ended: {server.args}")
        try:
            urllib.request.urlopen(f"{address}/ready", timeout=5).close()
        except OSError:
            time.sleep(1)
        else:
            return address
    raise SystemExit("the server never was ready")


@contextmanager
def _chromium() -> Iterator[Browser]:
    program = which("chromium") or which("chromium-browser") or which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=["--no-sandbox"])
        yield browser
        browser.close()


if __name__ == "__main__":
    main()
