"""Every page as people meet it: in a browser, without a network, light and dark, on a screen and on a phone."""

from pathlib import Path

import pytest

from shopglot.core.pairs import Pairs
from shopglot.report.compare import compare_sides
from shopglot.report.compare_page import compare_page
from shopglot.report.explore_page import exploration_page
from shopglot.report.gate import Gate
from shopglot.report.kept import read_side
from shopglot.report.mistakes import worst_mistakes
from shopglot.report.page import page
from shopglot.report.settings import ReportSettings
from shopglot.report.summary import Report
from shopglot.report.sweep import sweep_page
from shopglot.report.translation import price_of_translation
from tests.browser import PHONE, WIDE, Chromium, Opened
from tests.report import translated
from tests.report.explored import exploration
from tests.report.made_up import CHOSEN, both_tasks
from tests.report.sides import run
from tests.report.swept import sweep

FAST = ReportSettings(bootstrap=100)
PAGES = ("report", "compare", "explore", "sweep")


@pytest.fixture(scope="module")
def pages(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every page that the project writes, each with all its parts."""
    folder = tmp_path_factory.mktemp("pages")
    sides = [read_side(run(folder / name, skill=skill)) for name, skill in (("old", 2.0), ("new", 0.8), ("newer", 1.2))]
    texts = {
        "report": page(_whole(report)),
        "compare": compare_page(compare_sides(sides, [Gate.parse("no language worse than 0")], None, FAST)),
        "explore": exploration_page(exploration()),
        "sweep": sweep_page(sweep()),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


def _whole(report: Report) -> Report:
    read = translated.judged()
    mistakes = worst_mistakes(both_tasks("dev"), Pairs.concat([]), FAST, CHOSEN)
    price = price_of_translation(read, translated.quality(read["both"]), FAST, seed=1)
    return report.with_mistakes(mistakes).with_translation(price)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_a_network_passes_axe_and_fits_a_phone(name: str, pages: Path, chromium: Chromium) -> None:
    def look(opened: Opened) -> list[str]:
        opened.unfold()
        faults = opened.violations()
        for width in (WIDE, PHONE):
            opened.show(width=width)
            faults += [f"{over} pixels wider than {width}"] if (over := opened.overhang()) else []
        return [*faults, *opened.asked, *opened.complaints]

    assert chromium.visit(pages / f"{name}.html", look) == []


@pytest.mark.slow  # that the colours of the style stand out in the dark too, a test of the page checks at once
@pytest.mark.parametrize("name", PAGES)
def test_a_page_passes_axe_in_the_dark(name: str, pages: Path, chromium: Chromium) -> None:
    def look(opened: Opened) -> list[str]:
        opened.show(dark=True)
        opened.unfold()
        return opened.violations()

    assert chromium.visit(pages / f"{name}.html", look) == []


def test_the_checks_find_what_is_wrong_with_a_page(tmp_path: Path, chromium: Chromium) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(
        '<html lang="en"><title>bad</title><img src="http://example.com/a.png" style="width: 999px">'
        '<p style="color: #ccc; background: #fff">pale</p><script>throw Error("broken")</script>',
        encoding="utf-8",
    )

    def look(opened: Opened) -> tuple[str, int, list[str], str]:
        opened.show(width=PHONE)
        return " ".join(opened.violations()), opened.overhang(), opened.asked, " ".join(opened.complaints)

    violations, overhang, asked, complaints = chromium.visit(bad, look)
    assert "color-contrast" in violations
    assert "image-alt" in violations
    assert overhang > 600
    assert asked == ["http://example.com/a.png"]
    assert "broken" in complaints
