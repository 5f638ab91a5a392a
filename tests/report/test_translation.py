import re

import numpy as np
import polars as pl
import pytest

from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion, average_precision
from shopglot.core.pairs import Pairs
from shopglot.enrich.readings import READINGS, Reading
from shopglot.merge.intervals import f1_difference
from shopglot.report.figures import decimal, percent, points
from shopglot.report.page import page
from shopglot.report.settings import ReportSettings
from shopglot.report.summary import Report, summarise
from shopglot.report.translation import QUARTERS, TranslationReport, price_of_translation
from tests.report import translated
from tests.report.parsed import Parsed

SETTINGS = ReportSettings(bootstrap=100)


@pytest.fixture(scope="module")
def judged() -> dict[Reading, Judged]:
    return translated.judged()


@pytest.fixture(scope="module")
def quality(judged: dict[Reading, Judged]) -> pl.DataFrame:
    return translated.quality(judged["both"])


@pytest.fixture(scope="module")
def price(judged: dict[Reading, Judged], quality: pl.DataFrame) -> TranslationReport:
    return price_of_translation(judged, quality, SETTINGS, seed=1)


@pytest.fixture(scope="module")
def report(judged: dict[Reading, Judged], price: TranslationReport) -> Report:
    made = summarise("tiny", [judged["both"]], {}, SETTINGS, seed=1, thresholds={"QC": 0.5, "QI": 0.5})
    return made.with_translation(price)


@pytest.mark.parametrize("reading", READINGS)
def test_a_language_has_f1_and_pr_auc_of_each_reading_and_what_both_has_over_it(
    judged: dict[Reading, Judged], price: TranslationReport, reading: Reading
) -> None:
    pairs = judged["both"].pairs
    rows = ((pairs["task"] == "QI") & (pairs["language"] == "fr")).to_numpy()
    found, own = price.tasks["QI"].languages["fr"].readings[reading], judged[reading].where(rows)
    whole = Confusion.of(own.pairs.labels, judged["both"].where(rows).decision).f1
    assert found.f1 == Confusion.of(own.pairs.labels, own.decision).f1
    assert found.pr_auc == average_precision(own.pairs.labels, own.probability)
    assert found.gain.f1 == pytest.approx(whole - found.f1)
    interval = f1_difference(judged["both"], judged[reading], rows, repetitions=100, seed=1)
    assert found.gain.interval == pytest.approx(interval, abs=0.05)
    assert found.gain.count == rows.sum() == 100


def test_a_language_without_a_translation_is_left_out_and_its_pairs_are_counted_in_the_whole(
    price: TranslationReport,
) -> None:
    languages = price.tasks["QC"].languages
    assert list(languages) == ["all", "fr", "ja"]
    assert (languages["all"].count, languages["all"].translated) == (300, 200)
    assert (languages["fr"].count, languages["fr"].translated) == (100, 100)


def test_the_quarters_hold_the_translated_pairs_by_the_agreement_within_their_language(
    price: TranslationReport, quality: pl.DataFrame
) -> None:
    quarters = price.tasks["QC"].quarters
    assert list(quarters) == list(QUARTERS)
    assert [each.count for each in quarters.values()] == [each.translated for each in quarters.values()] == [50] * 4
    french, japanese = (quality.filter(pl.col("language") == code)["agreement"].sort() for code in ("fr", "ja"))
    lowest = np.concatenate([french[:5], japanese[:5]])
    assert quarters["lowest quarter"].agreement == pytest.approx(lowest.mean())


def test_the_worst_translations_are_furthest_below_the_median_of_their_language(price: TranslationReport) -> None:
    assert len(price.worst) == 30
    worst = {each.query: each for each in price.worst[:4]}
    assert set(worst) == {"query 1", "query 2", "query 4", "query 5"}
    assert {each.language for each in worst.values()} == {"fr", "ja"}
    assert (worst["query 1"].english, worst["query 1"].pairs) == ("english of query 1", 10)


def test_a_language_that_the_encoder_does_not_know_shows_by_what_it_tells_apart(price: TranslationReport) -> None:
    assert price.quality["fr"].told_apart == 1
    assert price.quality["ja"].told_apart == 0
    assert (price.quality["fr"].translations, price.quality["fr"].pairs) == (20, 200)
    assert price.quality["fr"].round_trip is None


def test_translations_of_pairs_without_a_language_are_unknown(
    judged: dict[Reading, Judged], quality: pl.DataFrame
) -> None:
    none = pl.lit(None, dtype=pl.String).alias("language")
    bare = {
        name: Judged(each.name, Pairs(each.pairs.frame.with_columns(none)), each.probability, each.decision)
        for name, each in judged.items()
    }
    found = price_of_translation(bare, quality.with_columns(none), SETTINGS, seed=1)
    assert list(found.tasks["QC"].languages) == ["all", "unknown"]
    assert list(found.quality) == ["unknown"]
    assert {each.language for each in found.worst} == {"unknown"}


def test_a_task_without_a_translation_is_left_out(judged: dict[Reading, Judged], quality: pl.DataFrame) -> None:
    english = pl.when(pl.col("task") == "QC").then("english")
    half = {
        name: Judged(each.name, Pairs(each.pairs.frame.with_columns(english)), each.probability, each.decision)
        for name, each in judged.items()
    }
    assert list(price_of_translation(half, quality, SETTINGS, seed=1).tasks) == ["QC"]


def test_the_report_reads_back_from_json_as_it_was(report: Report) -> None:
    assert Report.from_json(report.to_json()) == report
    assert (
        report.to_json()["translation"]["tasks"]["QC"]["languages"]["fr"]["readings"]["other"]["gain"]["count"] == 100
    )


def test_every_figure_of_the_readings_stands_in_the_page(report: Report) -> None:
    html = page(report)
    shown = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr><th scope=\"row\">.*</tr>", html)]
    assert report.translation is not None
    for task in report.translation.tasks.values():
        for each in [*task.languages.values(), *task.quarters.values()]:
            assert [f"{percent(own.f1)}, {decimal(own.pr_auc)}" for own in each.readings.values()] in [
                row[:4] for row in shown
            ]
            gains = [own.gain for reading, own in each.readings.items() if reading != "both"]
            cells = [
                f"{points(gain.f1)} ({points(gain.interval[0])} to {points(gain.interval[1])}): " for gain in gains
            ]
            assert any(all(map(str.startswith, row, cells)) for row in shown if len(row) == 3)


def test_the_page_lists_the_worst_translations_and_is_well_formed(report: Report) -> None:
    parsed = Parsed(page(report))
    assert "english of query 1" in parsed.text
    assert "The price of translation" in parsed.text
    assert "The price of translation" not in Parsed(page(report.with_translation(None))).text
