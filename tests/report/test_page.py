import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from shopglot.core.errors import RecipeError
from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.report.figures import change, decimal, percent, points
from shopglot.report.page import page
from shopglot.report.settings import ReportSettings
from shopglot.report.summary import Report, summarise
from tests.report.made_up import judged, small_report
from tests.report.parsed import Parsed

NASTY = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def html(report: Report) -> str:
    return page(report)


@pytest.fixture(scope="module")
def parsed(html: str) -> Parsed:
    return Parsed(html)


def measured(tree: Any) -> Iterator[dict[str, Any]]:
    """Everything in the tree of report.json that has an F1 beside the all-positive one."""
    if isinstance(tree, dict):
        if "all_positive_f1" in tree:
            yield tree
        for value in tree.values():
            yield from measured(value)


def rows(html: str) -> list[list[str]]:
    """The cells of every table row, without the name of the row."""
    return [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr><th scope=\"row\">.*</tr>", html)]


def test_every_f1_of_the_json_stands_in_the_page_beside_its_interval_and_the_all_positive_one(
    report: Report, html: str
) -> None:
    shown = [row[:3] for row in rows(html)]
    found = list(measured(report.to_json()))
    assert len(found) > 50
    for each in found:
        low, high = each["f1_interval"]
        assert [percent(each["f1"]), f"{percent(low)}–{percent(high)}", percent(each["all_positive_f1"])] in shown
    assert f"F1avg {percent(report.f1_avg)} %" in html


def test_every_difference_of_the_json_stands_in_the_page_with_its_verdict(report: Report, html: str) -> None:
    shown = [row[0] for row in rows(html)]
    found = [each for tasks in report.differences.values() for slices in tasks.values() for each in slices.values()]
    assert len(found) == 8
    for each in found:
        low, high = each.interval
        word = "better" if low > 0 else "worse" if high < 0 else "unclear"
        assert f"{points(each.f1)} ({points(low)} to {points(high)}): {word}" in shown


def test_thresholds_gap_and_facts_stand_in_the_page(parsed: Parsed) -> None:
    for words in (
        "0.412",
        "0.525",
        "gap between out-of-fold and test",
        "train_QC.txt",
        "9f86d0",
        "1,200",
        "label rate",
    ):
        assert words in parsed.text


def test_every_choice_and_threshold_of_a_slice_stands_in_the_page(report: Report, parsed: Parsed, html: str) -> None:
    for decisions in report.decisions.values():
        for each in decisions.choices.values():
            assert points(each.gain.f1) in parsed.text
        assert decisions.unlabelled is not None
        for language in decisions.unlabelled.languages.values():
            changes = [change(language.left_out), change(language.task)]
            assert [*changes, str(language.task.count)] in [row[3:] for row in rows(html)]
    for words in ("fr, shoes", "0.377", "0.433", "0.299", "per language and category"):
        assert words in parsed.text


def test_the_page_needs_nothing_beside_itself(html: str, parsed: Parsed) -> None:
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & {tag for tag, _ in parsed.tags}
    for _, attributes in parsed.tags:
        assert not {"src", "srcset", "xlink:href"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")


def test_links_within_the_page_lead_somewhere(parsed: Parsed) -> None:
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {(attributes["href"] or "")[1:] for tag, attributes in parsed.tags if tag == "a"}
    named = {attributes["aria-labelledby"] for _, attributes in parsed.tags if "aria-labelledby" in attributes}
    assert targets
    assert targets | named <= set(ids)


def test_every_table_has_a_caption_first_and_every_heading_a_scope(parsed: Parsed) -> None:
    assert len(parsed.tables) > 10
    assert all(tags[0] == "caption" and "tbody" in tags for tags in parsed.tables)
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in parsed.tags if tag == "th")


def test_every_chart_says_in_words_what_it_shows(parsed: Parsed) -> None:
    pictures = [attributes for _, attributes in parsed.tags if attributes.get("role") == "img"]
    assert len(pictures) == len([tag for tag, _ in parsed.tags if tag == "svg"]) == 8
    assert all(attributes["aria-label"] for attributes in pictures)


def test_simulated_data_is_said_in_the_heading_and_real_data_is_not(report: Report, html: str) -> None:
    assert "<h1>tiny: simulated data</h1>" in html
    assert "<h1>tiny</h1>" in page(report.with_facts(data={"simulated": False}))


def test_words_of_the_files_cannot_become_markup() -> None:
    text = page(small_report(languages=("en", NASTY), name=NASTY).with_facts(data={NASTY: {NASTY: NASTY}}))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 5
    Parsed(text)


def test_a_small_slice_is_marked_and_a_slice_of_one_class_shows_a_dash() -> None:
    french = np.repeat([number % 2 == 1 for number in range(20)], 5)
    labels = [1 if other else row % 2 for row, other in enumerate(french)]
    text = page(small_report(labels=labels))
    (row,) = re.findall(r'<tr><th scope="row">fr .*', text)
    assert "few pairs" in row
    assert "all relevant" in row
    assert row.count("<td>–</td>") == 4


def test_a_slice_of_many_pairs_and_few_queries_is_marked() -> None:
    shown = judged("dev", queries=30, per_query=20, languages=("en", "en", "fr"))
    text = page(summarise("tiny", [shown], {}, ReportSettings(bootstrap=100), seed=1, thresholds={"QC": 0.4}))
    marks = dict(re.findall(r'<tr><th scope="row">(en|fr)(.*?)</th>', text))
    assert "few queries" in marks["fr"]
    assert "few" not in marks["en"]


def test_weighted_figures_stand_in_tables_of_their_own() -> None:
    shown = judged("dev")
    pairs = Pairs(shown.pairs.frame.with_columns(weight=np.arange(1.0, 301.0)))
    weighted = Judged("dev", pairs, shown.probability, shown.decision)
    report = summarise("tiny", [weighted], {}, ReportSettings(bootstrap=100), seed=1, thresholds={"QC": 0.4})
    found = report.tasks["QC"].slices["language"]["fr"].weighted
    assert found is not None
    text = page(report)
    assert "each pair by its weight" in text
    assert [percent(found.f1), percent(found.precision), percent(found.recall)] in [row[:3] for row in rows(text)]
    assert "each pair by its weight" not in page(small_report())


def test_pr_auc_and_mcc_stand_in_the_page_with_their_intervals(report: Report, html: str) -> None:
    shown = [row[3:5] for row in rows(html)]
    for each in report.tasks["QI"].slices["language"].values():
        assert each.pr_auc_interval is not None
        assert each.mcc_interval is not None
        areas, correlations = map(decimal, each.pr_auc_interval), map(decimal, each.mcc_interval)
        assert [
            f"{decimal(each.pr_auc)} ({'–'.join(areas)})",
            f"{decimal(each.mcc)} ({'–'.join(correlations)})",
        ] in shown


def test_a_run_with_one_task_one_evidence_and_no_learners_has_a_page() -> None:
    text = Parsed(page(small_report(languages=("ja",)))).text
    assert "Query–category (QC)" in text
    assert "Query–item" not in text
    assert "Learners" not in text
    assert "gap between" not in text


@pytest.mark.parametrize("absent", ["jinja2", "altair", "vl_convert"])
def test_an_absent_library_is_one_clear_line(absent: str, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(RecipeError, match=r"pip install 'shopglot\[train\]'"):
        page(report)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_what_is_behind_them(scheme: int, html: str) -> None:
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", re.findall(r":root \{(.*)\}", html)[scheme]))
    for front, back in [
        ("ink", "paper"),
        ("quiet", "paper"),
        ("mark", "paper"),
        ("quiet", "panel"),
        ("warn-ink", "warn"),
    ]:
        lighter, darker = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, f"{front} on {back}"


def luminance(colour: str) -> float:
    """Relative luminance of #rgb or #rrggbb (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
