"""What no chunk of a file can know by itself: a first pass over files that are to be scored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import polars as pl

from shopglot.core.files import read_json, write_json
from shopglot.core.pairs import OWN, Pairs
from shopglot.curate.clean import clean
from shopglot.curate.prepare import warn_of_one_level
from shopglot.curate.raw import RawTable
from shopglot.curate.read import file_schema, judged_rows, raw_chunks, require_good_rows, stacked
from shopglot.curate.settings import CurateSettings

_NAMED: Final = pl.Schema({"language": pl.String(), "target": pl.String()})
_TABLES: Final = 50
_SAID: Final = "survey.json"
_OWN: Final = "columns.parquet"


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """What was seen of a file, or of a part of it.

    `rows` are counted with those that are no pairs, the first of which is `first_bad`; `own` are the own columns, and
    `named` the distinct languages and category paths.
    """

    rows: int
    quarantined: int
    first_bad: dict[str, Any] | None
    own: pl.DataFrame
    named: pl.DataFrame


@dataclass(frozen=True, eq=False, slots=True)
class Survey:
    """What the rows of all files have in common.

    `schemas` are the types of each file's columns where its chunks do not show them, `own` a table without rows that
    has the own columns of all files, `paths` the category paths and `languages` the languages that their pairs name,
    `first_bad` the first row in quarantine.
    """

    schemas: tuple[pl.Schema | None, ...]
    own: pl.DataFrame
    languages: tuple[str, ...]
    paths: tuple[str, ...]
    rows: int
    quarantined: int
    first_bad: dict[str, Any] | None


def survey(files: Sequence[Path], settings: CurateSettings, size: int, rejected: Path) -> Survey:
    """Return what the pairs of all files have in common, and write the rows that are none as JSON lines to `rejected`.

    Raises DataError for a file that cannot be read, or of which no row can.
    """
    schemas, seen = tuple(file_schema(path, size) for path in files), []
    with rejected.open("wb") as set_aside:
        for path, schema in zip(files, schemas, strict=True):
            seen.append(seen_in((table for table, _ in raw_chunks(path, size, schema=schema)), settings, set_aside))
            require_good_rows(path, seen[-1].rows - seen[-1].quarantined, seen[-1].first_bad)
    return in_common(files, schemas, seen, settings)


def seen_in(tables: Iterable[RawTable], settings: CurateSettings, set_aside: BinaryIO) -> Seen:
    """Return what is seen in tables of one file, and write the rows that are no pairs to `set_aside`."""
    good, quarantined, first_bad = 0, 0, None
    own, named = pl.DataFrame(), [_NAMED.to_frame()]
    for table in tables:
        kept, quarantine = judged_rows(table, settings, None, training=False)
        if quarantine.height:
            quarantine.write_ndjson(set_aside)
            first_bad = first_bad or quarantine.row(0, named=True)
        if kept.height:
            own = kept.select(f"^{OWN}.*$").clear()
            named = [*named, _named(kept)] if len(named) < _TABLES else [pl.concat([*named, _named(kept)]).unique()]
        good, quarantined = good + kept.height, quarantined + quarantine.height
    return Seen(good + quarantined, quarantined, first_bad, own, pl.concat(named).unique())


def in_common(
    files: Sequence[Path], schemas: tuple[pl.Schema | None, ...], seen: Sequence[Seen], settings: CurateSettings
) -> Survey:
    """Return what the pairs have in common of which each of `seen` is a part, from the file at its place in `files`."""
    languages, paths = _cleaned(pl.concat(each.named for each in seen).unique(), settings)
    return Survey(
        schemas=schemas,
        own=stacked([each.own for each in seen], [str(path) for path in files]),
        languages=languages,
        paths=paths,
        rows=sum(each.rows for each in seen),
        quarantined=sum(each.quarantined for each in seen),
        first_bad=next((each.first_bad for each in seen if each.first_bad), None),
    )


def write_survey(found: Survey, folder: Path) -> None:
    """Keep a survey of Parquet files in a folder that exists."""
    said = {name: getattr(found, name) for name in ("languages", "paths", "rows", "quarantined", "first_bad")}
    found.own.write_parquet(folder / _OWN)
    write_json(folder / _SAID, said)


def read_survey(folder: Path) -> Survey:
    """Return the survey of Parquet files that was kept in a folder."""
    said: dict[str, Any] = read_json(folder / _SAID)
    said |= {name: tuple(said[name]) for name in ("languages", "paths")}
    return Survey(schemas=(), own=pl.read_parquet(folder / _OWN), **said)


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the distinct languages and category paths; a path beside an empty query is none that anybody asked for."""
    path = pl.when((pl.col("task") == "QC") & pl.col("query").is_not_null()).then("target")
    return rows.select("language", target=path).unique()


def _cleaned(named: pl.DataFrame, settings: CurateSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pairs = clean(Pairs.from_frame(named.with_columns(task=pl.lit("QC"), query=pl.lit("any"))), settings)
    judged = pairs.filter(pairs.readable)
    warn_of_one_level(judged)
    return tuple(pairs["language"].drop_nulls().unique().sort()), tuple(judged["target"].unique().sort())
