"""The price of translation: what a model owes to translations, and how good they are."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.pair import Task
from shopglot.core.pairs import TRANSLATED
from shopglot.enrich.readings import Reading
from shopglot.report.measure import ALL, Difference, Measures, difference, values_of
from shopglot.report.settings import ReportSettings

QUARTERS: Final = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
_WORST: Final = 30


class ReadingReport(BaseModel):
    """How a model judges some pairs in one reading; `gain` is what it has more in the reading `both`."""

    model_config = ConfigDict(frozen=True)

    f1: float
    pr_auc: float | None
    mcc: float | None
    gain: Difference


class SliceReadings(BaseModel):
    """Some pairs in every reading; `translated` of them have a translation, the others are the same in all readings.

    `agreement` is the mean of those that have one.
    """

    model_config = ConfigDict(frozen=True)

    count: int
    translated: int
    agreement: float
    all_positive_f1: float
    readings: dict[Reading, ReadingReport]


class TaskReadings(BaseModel):
    """One task: all its pairs and each language that has a translation, and the translated pairs by agreement.

    A quarter holds the pairs with the lowest, second, … agreement of each language, for an encoder that knows a
    language better finds more agreement in it.
    """

    model_config = ConfigDict(frozen=True)

    languages: dict[str, SliceReadings]
    quarters: dict[str, SliceReadings]


class LanguageQuality(BaseModel):
    """The distinct translations of a language, `pairs` counting their rows.

    `agreement` is the median; `told_apart` the share that agree more with their query than the translation of another
    query does; `round_trip` the mean, None where nothing was translated back.
    """

    model_config = ConfigDict(frozen=True)

    translations: int
    pairs: int
    agreement: float
    told_apart: float
    round_trip: float | None


class WorstTranslation(BaseModel):
    """A translation that agrees little with its query, for its language."""

    model_config = ConfigDict(frozen=True)

    language: str
    query: str
    english: str
    agreement: float
    round_trip: float | None
    pairs: int


class TranslationReport(BaseModel):
    """What translations are worth on the evidence at the top, and how good they look without a reference."""

    model_config = ConfigDict(frozen=True)

    tasks: dict[Task, TaskReadings]
    quality: dict[str, LanguageQuality]
    worst: list[WorstTranslation]


def price_of_translation(
    judged: Mapping[Reading, Judged], quality: pl.DataFrame, settings: ReportSettings, seed: int
) -> TranslationReport:
    """Return what the same pairs, as `enrich.readings` has them read, say of their translations, per task with some.

    `judged` holds the same pairs for every reading, at least one of them translated, and `quality` is what
    `enrich.quality` says of them.
    """
    pairs = judged["both"].pairs
    named = quality.with_columns(pl.col("language").fill_null("unknown"))
    return TranslationReport(
        tasks={task: _task(judged, quality, task, settings, seed) for task in pairs.filter(TRANSLATED).tasks},
        quality=_by_language(named),
        worst=[WorstTranslation(**row) for row in _worst(named).rows(named=True)],
    )


def _task(
    judged: Mapping[Reading, Judged], quality: pl.DataFrame, task: Task, settings: ReportSettings, seed: int
) -> TaskReadings:
    rows = (judged["both"].pairs["task"] == task).to_numpy()
    own = {name: each.where(rows) for name, each in judged.items()}
    agreement, quarter = _agreement(own["both"], quality)
    translated = agreement.is_not_null()
    languages = {ALL: np.ones(len(agreement), dtype=np.bool_), **values_of(own["both"].pairs["language"])}
    quarters = {name: (quarter == number).fill_null(value=False).to_numpy() for number, name in enumerate(QUARTERS)}

    def read(slices: Mapping[str, Mask]) -> dict[str, SliceReadings]:
        return {
            name: _read(own, agreement, mask, settings, seed)
            for name, mask in slices.items()
            if translated.filter(pl.Series(mask)).any()
        }

    return TaskReadings(languages=read(languages), quarters=read(quarters))


def _agreement(judged: Judged, quality: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Return the agreement of each row's translation and its quarter in its language, from 0 to 3; null without one."""
    keys = ["language", "query", "english"]
    frame = judged.pairs.frame.select(*keys, translated=TRANSLATED).join(
        quality, on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    found = frame.select("language", agreement=pl.when("translated").then("agreement"))
    share = (pl.col("agreement").rank("average") - 0.5) / pl.col("agreement").count()
    ranked = found.select("agreement", quarter=(len(QUARTERS) * share.over("language")).floor())
    return ranked["agreement"], ranked["quarter"]


def _read(
    own: Mapping[Reading, Judged], agreement: pl.Series, rows: Mask, settings: ReportSettings, seed: int
) -> SliceReadings:
    measured = {name: Measures.of(each, rows) for name, each in own.items()}
    whole, inside = measured["both"], agreement.filter(pl.Series(rows)).drop_nulls()
    return SliceReadings(
        count=whole.count,
        translated=len(inside),
        agreement=float(inside.to_numpy().mean()),
        all_positive_f1=whole.all_positive_f1,
        readings={
            name: ReadingReport(
                f1=found.f1,
                pr_auc=found.pr_auc,
                mcc=found.mcc,
                gain=difference(own["both"], own[name], rows, settings, seed),
            )
            for name, found in measured.items()
        },
    )


def _by_language(quality: pl.DataFrame) -> dict[str, LanguageQuality]:
    told = quality.group_by("language").agg(
        pl.len().alias("translations"),
        pl.col("pairs").sum(),
        pl.col("agreement").median(),
        (pl.col("agreement") > pl.col("by_chance")).mean().alias("told_apart"),
        pl.col("round_trip").mean(),
    )
    ordered = told.sort(["pairs", "language"], descending=[True, False])
    return {row.pop("language"): LanguageQuality(**row) for row in ordered.rows(named=True)}


def _worst(quality: pl.DataFrame) -> pl.DataFrame:
    """Return the translations that agree least, held against the median of their language."""
    below = pl.col("agreement") - pl.col("agreement").median().over("language")
    return quality.sort(below, "language", "query", "english").head(_WORST).drop("by_chance")
