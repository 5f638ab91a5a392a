"""The pages of review and report in a browser, as people use them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.reviews.reviews import Reviews
from tests.browser import PHONE, WIDE, Chromium, Opened
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import SharedWords
from tests.serve.live import served
from tests.serve.review_files import review_file, suspects

pytestmark = pytest.mark.enable_socket
expect.set_options(timeout=30_000)  # milliseconds, of a machine that does other things too

TEN = "kfkfdskffk"
"""The keys that decide ten labels."""


@pytest.fixture
def review(tmp_path: Path) -> Path:
    (tmp_path / "report.html").write_text(
        '<!DOCTYPE html><html lang="en"><title>a run</title>'
        '<ul><li><a href="#languages">Languages and slices</a></li></ul>'
        '<main><h1>a run</h1><h2 id="languages">Languages</h2></main>'
    )
    return review_file(tmp_path / "review.csv", suspects(24))


@contextmanager
def reviewing(review: Path) -> Iterator[str]:
    extras = Extras(reviews=Reviews(review), report=review.with_name("report.html"), facts={"name": "a run"})
    with served(create_app(SharedWords(), FEW_LANGUAGES, extras)) as address:
        yield address


def go(page: Page, path: str) -> None:
    page.goto(urljoin(page.url, path))


def begin(page: Page, name: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#pair")).to_be_visible()
    page.wait_for_load_state()  # for the keys are a script's


def press(page: Page, keys: str) -> None:
    """Press keys as fast as the page takes them, which is before the server has answered."""
    for key in keys:
        before = page.locator("#pair [name=pair]").get_attribute("value")
        page.keyboard.press(key)
        expect(page.locator("#pair [name=pair]")).not_to_have_value(before or "")


def reviewed(page: Page, count: int) -> None:
    expect(page.locator("#progress")).to_contain_text(f"{count} of 24 reviewed")


def test_ten_labels_are_reviewed_by_keys_and_are_there_after_a_reload_and_a_restart(
    chromium: Chromium, review: Path
) -> None:
    def by_keys(opened: Opened) -> list[dict[str, str]]:
        page = opened.page
        begin(page, "Ana")
        press(page, TEN)
        reviewed(page, 9)
        page.reload()
        reviewed(page, 9)
        assert opened.complaints == []
        assert opened.asked == []
        return [{str(key): str(value) for key, value in cookie.items()} for cookie in page.context.cookies()]

    with reviewing(review) as address:
        chromium.visit(f"{address}/review", by_keys)

    def again(opened: Opened) -> tuple[list[str], str]:
        page = opened.page
        begin(page, "Ana")
        reviewed(page, 9)
        page.get_by_role("link", name="What was decided").click()
        return page.locator(".decided .stands > strong").all_inner_texts(), page.locator(".decided").inner_text()

    with reviewing(review) as address:
        choices, listed = chromium.visit(f"{address}/review", again)
    words = {"k": "Kept", "f": "Flipped", "d": "Dropped", "s": "Skipped"}
    assert choices == [words[key] for key in reversed(TEN)]
    assert "شاي أخضر" in listed
    assert "緑茶" in listed


def test_two_browsers_are_dealt_different_labels_and_do_not_overwrite_each_other(
    chromium: Chromium, review: Path
) -> None:
    def both(one: BrowserContext, other: BrowserContext, address: str) -> None:
        ana, ben = one.new_page(), other.new_page()
        for page in (ana, ben):
            page.goto(f"{address}/review")
        begin(ana, "Ana")
        begin(ben, "Ben")
        of_ana, of_ben = (page.locator("#pair [name=pair]").get_attribute("value") for page in (ana, ben))
        assert of_ana != of_ben
        press(ben, "kkk")
        reviewed(ben, 3)
        go(ben, f"/review?pair={of_ana}")  # what was dealt to the other
        ben.get_by_role("button", name="Flip").click()
        reviewed(ben, 4)
        ana.get_by_label("Note").fill("mine")
        ana.get_by_role("button", name="Keep").click()
        expect(ana.get_by_role("alert")).to_contain_text("Flipped by Ben")
        expect(ana.get_by_role("alert")).to_contain_text("your decision was not saved; you kept it")
        assert ana.locator("#pair [name=pair]").get_attribute("value") == of_ana
        expect(ana.get_by_label("Note")).to_have_value("mine")
        press(ana, "k")
        reviewed(ana, 4)
        expect(ana.locator("#last")).to_contain_text("Kept")

    with reviewing(review) as address:
        in_two(chromium, both, address)
    with Reviews(review) as reviews:
        assert {each.state.person: each.state.choice for each in reviews.decided() if each.state.version > 1} == {
            "Ana": "keep"
        }


def in_two(chromium: Chromium, use: Callable[[BrowserContext, BrowserContext, str], None], address: str) -> None:
    def work() -> None:
        contexts = [chromium.browser.new_context() for _ in range(2)]
        try:
            use(contexts[0], contexts[1], address)
        finally:
            for context in contexts:
                context.close()

    chromium.thread.submit(work).result()


def test_keys_are_letters_in_a_note_and_can_be_switched_off(chromium: Chromium, review: Path) -> None:
    def use(opened: Opened) -> None:
        page = opened.page
        begin(page, "Ana")
        shown = page.locator("#pair [name=pair]").get_attribute("value") or ""
        page.keyboard.press("n")
        page.keyboard.type("fskud?")
        expect(page.get_by_label("Note")).to_have_value("fskud?")
        page.keyboard.press("Escape")
        for key in ("Control+k", "Alt+f", "Shift+Tab"):
            page.keyboard.press(key)
        page.keyboard.press("?")
        expect(page.get_by_text("flip it to the other one")).to_be_visible()
        page.get_by_label("Use single keys").uncheck()
        page.keyboard.press("f")
        page.reload()
        page.wait_for_load_state()
        page.keyboard.press("f")
        expect(page.locator("#pair [name=pair]")).to_have_value(shown)
        page.locator("#keys summary").click()
        page.get_by_label("Use single keys").check()
        press(page, "f")
        reviewed(page, 1)
        page.keyboard.press("u")
        expect(page.locator("#pair [name=pair]")).to_have_value(shown)
        reviewed(page, 0)
        cyrillic = "new KeyboardEvent('keydown', {key: 'а', code: 'KeyF', bubbles: true})"
        page.evaluate(f"document.body.dispatchEvent({cyrillic})")
        reviewed(page, 1)
        assert opened.complaints == []

    with reviewing(review) as address:
        chromium.visit(f"{address}/review", use)


def test_what_happened_is_said_and_the_focus_stays(chromium: Chromium, review: Path) -> None:
    def use(opened: Opened) -> None:
        page = opened.page
        begin(page, "Ana")
        page.get_by_role("button", name="Flip").focus()
        page.keyboard.press("Enter")
        said = page.locator("#said")
        expect(said).to_contain_text("Flipped. Query Arabic. شاي أخضر")
        expect(said).to_contain_text("Label. relevant")
        reviewed(page, 1)
        expect(page.get_by_role("button", name="Flip")).to_be_focused()
        page.get_by_role("button", name="Undo").focus()
        page.keyboard.press("Enter")
        expect(said).to_contain_text("Undone. Query English. green tea")
        reviewed(page, 0)
        page.get_by_role("button", name="Undo").click()
        expect(said).to_have_text("There is nothing to undo.")
        page.get_by_role("button", name="Keep").click()
        page.get_by_role("button", name="Undo").focus()
        page.keyboard.press("Enter")  # before or after the answer
        expect(said).to_contain_text("Undone.")
        reviewed(page, 0)

    with reviewing(review) as address:
        chromium.visit(f"{address}/review", use)


def test_what_could_not_be_saved_comes_back_with_its_note(chromium: Chromium, review: Path) -> None:
    def use(opened: Opened) -> None:
        page = opened.page
        begin(page, "Ana")
        shown = page.locator("#pair [name=pair]").get_attribute("value") or ""
        page.get_by_label("Note").fill("why")
        page.context.set_offline(True)
        page.get_by_role("button", name="Flip").click()
        expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached; this was not saved")
        expect(page.locator("#pair [name=pair]")).to_have_value(shown)
        expect(page.get_by_label("Note")).to_have_value("why")
        page.context.set_offline(False)
        page.get_by_role("button", name="Flip").click()
        reviewed(page, 1)
        expect(page.get_by_role("alert")).to_be_empty()

    with reviewing(review) as address:
        chromium.visit(f"{address}/review", use)


def test_the_last_label_ends_with_the_way_to_the_export(chromium: Chromium, review: Path) -> None:
    review_file(review, suspects(2))

    def use(opened: Opened) -> None:
        begin(opened.page, "Ana")
        press(opened.page, "k")
        opened.page.keyboard.press("f")
        expect(opened.page.get_by_role("heading", name="All labels are reviewed")).to_be_visible()
        with opened.page.expect_download() as download:
            opened.page.get_by_role("link", name="Take the review file").click()
        assert download.value.suggested_filename == "review.reviewed.csv"

    with reviewing(review) as address:
        chromium.visit(f"{address}/review", use)


@pytest.mark.parametrize(("width", "dark"), [(PHONE, True), (WIDE, False)])
def test_axe_finds_nothing_and_nothing_hangs_over(chromium: Chromium, review: Path, width: int, *, dark: bool) -> None:
    def use(opened: Opened) -> None:
        page = opened.page
        opened.show(dark=dark, width=width)
        assert (opened.violations(), opened.overhang()) == ([], 0)
        begin(page, "Ana")
        press(page, "kf")
        reviewed(page, 2)
        for path in ("/review", "/review/decided", "/report"):
            go(page, path)
            opened.unfold()
            assert (path, opened.violations(), opened.overhang()) == (path, [], 0)
        assert opened.complaints == []

    with reviewing(review) as address:
        chromium.visit(f"{address}/review", use)


def test_the_sections_of_the_report_are_reached_on_a_phone(chromium: Chromium, review: Path) -> None:
    def use(opened: Opened) -> None:
        opened.show(width=PHONE)
        go(opened.page, "/report")
        opened.page.get_by_role("link", name="Languages and slices").first.click()
        heading = opened.page.frame_locator("iframe").get_by_role("heading", name="Languages")
        expect(heading).to_be_in_viewport()
        assert opened.page.url.endswith("/report")
        assert opened.complaints == []

    with reviewing(review) as address:
        chromium.visit(f"{address}/review", use)
