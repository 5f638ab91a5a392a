"""The pages as people use them: in a browser, by keyboard, on a phone, light and dark."""

from collections.abc import Iterator

import pytest

from shopglot.serve.http.app import Extras, Other, create_app
from shopglot.serve.http.security import Key, Keys
from shopglot.serve.http.settings import HttpSettings
from shopglot.serve.http.suggest import Suggester
from tests import shop
from tests.browser import PHONE, WIDE, Chromium, Opened
from tests.serve.deciders import PLAIN, SharedWords
from tests.serve.http.pages.test_compare import OnlyMatcha
from tests.serve.keys import READER, digest
from tests.serve.live import served

pytestmark = pytest.mark.enable_socket

PATIENT = HttpSettings(languages=("ar", "de", "en", "ja"), queue_seconds=60, deadline_seconds=60)
PAGES = ("try", "compare", "status")
ITEMS = "緑茶 ワイヤレスイヤホン\nسماعات لاسلكية سوداء\nwok"
AWAITED = "[aria-busy], [data-part]:not(:has(*))"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    extras = Extras(
        suggester=Suggester.of(shop.PATHS, None),
        decision=PLAIN,
        facts={"name": "doubles"},
        other=Other(OnlyMatcha(), facts={"name": "only matcha"}),
    )
    with served(create_app(SharedWords(), PATIENT, extras)) as address:
        yield address


def settle(opened: Opened) -> None:
    """Wait until no part of the page awaits an answer; the script waits a moment before it asks."""
    opened.page.wait_for_timeout(300)
    opened.page.wait_for_selector(AWAITED, state="detached")


@pytest.mark.parametrize(
    ("query", "first", "language"),
    [
        ("سماعات لاسلكية", "سماعات لاسلكية سوداء", "Arabic"),
        ("ワイヤレスイヤホン", "緑茶 ワイヤレスイヤホン", "Japanese"),
    ],
)
def test_scores_appear_as_somebody_types(
    address: str, chromium: Chromium, query: str, first: str, language: str
) -> None:
    def look(opened: Opened) -> tuple[str, str, str, list[str]]:
        page = opened.page
        page.fill("#targets-QI", ITEMS)
        page.locator("#query").press_sequentially(query, delay=10)
        page.fill("#query", query)
        page.wait_for_selector(f".facts:has-text('{language}')")
        settle(opened)
        row = page.locator(".asked .row").first.inner_text()
        said = page.locator("#said").inner_text()
        return row, said, page.locator(".facts").inner_text(), opened.complaints

    row, said, facts, complaints = chromium.visit(f"{address}/try", look)
    assert first in row
    assert "0.950" in row
    assert "relevant" in row
    assert "of 3" in said or "Best" in said or "No category" in said  # what a screen reader is told
    assert language in facts
    assert complaints == []


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(address: str, chromium: Chromium) -> None:
    def look(opened: Opened) -> str:
        page = opened.page
        settle(opened)
        held = []

        def hold_the_old(route: object) -> None:
            held.append(route)

        page.route("**/pages/try/scores", hold_the_old)
        page.fill("#query", "old")
        page.wait_for_timeout(400)
        page.unroute("**/pages/try/scores")
        page.fill("#targets-QI", "new wok")
        page.fill("#query", "new")
        page.wait_for_selector(".asked .decision.over")
        for route in held:
            route.fulfill(body="<p>overdue</p>")  # type: ignore[attr-defined]
        page.wait_for_timeout(100)
        return page.locator("[data-part]").first.inner_text()

    text = chromium.visit(f"{address}/try", look)
    assert "new wok" in text
    assert "overdue" not in text


def test_the_keyboard_alone_leads_from_the_query_to_the_words_of_a_row(address: str, chromium: Chromium) -> None:
    def look(opened: Opened) -> tuple[str, str, int]:
        page = opened.page
        page.fill("#targets-QI", "green tea")
        settle(opened)
        page.keyboard.press("Tab")  # the first stop of a page leads past the navigation
        page.locator("body").evaluate("() => document.activeElement.blur()")
        page.locator("#query").focus()
        page.keyboard.press("Control+A")
        page.keyboard.type("green wok")
        settle(opened)
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "words":
                break
        page.keyboard.press("Enter")
        page.wait_for_selector(".words")
        opened_words = page.locator(".words").inner_text()
        expanded = page.evaluate("document.activeElement.getAttribute('aria-expanded')")
        page.keyboard.press("Enter")
        return opened_words, expanded, page.locator(".words").count()

    words, expanded, left = chromium.visit(f"{address}/try", look)
    assert "+0.450" in words
    assert "−0.450" in words
    assert expanded == "true"
    assert left == 0


def test_a_link_brings_query_and_list_back_and_tells_the_server_nothing_in_its_address(
    address: str, chromium: Chromium
) -> None:
    def look(opened: Opened) -> tuple[str, str, str]:
        page = opened.page
        page.check("#task-QC")
        page.fill("#targets-QC", "food,tea")
        page.fill("#query", "geheim & mehr")
        link = page.locator("#here").get_attribute("href") or ""
        page.goto("about:blank")
        page.goto(f"{address}/try{link}")
        settle(opened)
        return link, page.input_value("#query"), page.input_value("#targets-QC")

    link, query, targets = chromium.visit(address, look)
    assert link.startswith("#")
    assert (query, targets) == ("geheim & mehr", "food,tea")


def test_compare_counts_and_filters_where_the_models_disagree(address: str, chromium: Chromium) -> None:
    def look(opened: Opened) -> tuple[str, int, int]:
        page = opened.page
        page.fill("#targets-QI", "matcha\nwok\nhundebett")
        page.fill("#query", "hundebett")
        settle(opened)
        summary, rows = page.locator(".summary").inner_text(), page.locator(".pair:visible").count()
        page.check("#only")
        return summary, rows, page.locator(".pair:visible").count()

    summary, rows, left = chromium.visit(f"{address}/compare", look)
    assert "They disagree on 2 of 3" in summary
    assert (rows, left) == (3, 2)


def test_status_renews_itself(address: str, chromium: Chromium) -> None:
    def look(opened: Opened) -> tuple[str, int]:
        page = opened.page
        opened.show(width=PHONE)
        page.evaluate("fetch('/score', {method: 'POST', body: '{}'})")
        page.locator("[aria-label='Table of answers by path']").focus()
        page.evaluate("document.activeElement.scrollLeft = 50")
        page.wait_for_selector("th:text-is('/score')", timeout=20_000)
        return tuple(page.evaluate("[document.activeElement.ariaLabel, document.activeElement.scrollLeft]"))

    place, left = chromium.visit(f"{address}/status", look)
    assert place == "Table of answers by path"  # who was there still is, as far to the right
    assert left == 50


@pytest.mark.parametrize("name", PAGES)
def test_a_page_passes_axe_and_fits_a_phone(name: str, address: str, chromium: Chromium) -> None:
    def look(opened: Opened) -> list[str]:
        settle(opened)
        if opened.page.locator("button.why").count():
            opened.page.locator("button.why").first.click()
            opened.page.wait_for_selector(".words")
        faults = []
        for dark in (False, True):
            opened.show(dark=dark)
            faults += opened.violations()
        for width in (WIDE, PHONE):
            opened.show(width=width)
            faults += [f"{over} pixels wider than {width}"] if (over := opened.overhang()) else []
        return [*faults, *opened.asked, *opened.complaints]

    assert chromium.visit(f"{address}/{name}", look) == []


def test_a_key_opens_the_page_that_was_wanted(chromium: Chromium) -> None:
    def look(opened: Opened) -> tuple[list[str], str, str]:
        page = opened.page
        faults = opened.violations()
        page.fill("#key", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert]")
        page.fill("#key", READER)
        page.keyboard.press("Enter")
        page.wait_for_url("**/status")
        inside = page.locator("header").inner_text()
        page.click("text=Sign out")
        page.wait_for_url("**/sign-in**")
        return faults, inside, page.url

    keys = Keys((Key("reader", digest(READER)),))
    with served(create_app(SharedWords(), PATIENT, Extras(keys=keys))) as address:
        faults, inside, _ = chromium.visit(f"{address}/status", look)
    assert faults == []
    assert "reader" in inside
