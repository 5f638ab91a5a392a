"""The review file of `shopglot audit`, read for people to go through, and written with what they decided."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, Self

import polars as pl
import polars.selectors as cs

from shopglot.core.category import CategoryPath
from shopglot.core.errors import DataError
from shopglot.core.files import sha256
from shopglot.curate.corrections import ACTION
from shopglot.curate.read import whole_table

_IDENTITY: Final = ("id", "query", "target", "label")
_OPTIONAL: Final = ("task", "language", "english", "probability", "reasons", "annotator")
_OUTCOME: Final = ("action", "note", "decided_by", "decided_at")
"""The columns that are written; of all but the first `run` takes no notice."""
_LABELS: Final = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What stands beside a pair in a review file: an action, and who decided so when and why; None for nothing."""

    action: str | None = None
    note: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None


@dataclass(frozen=True, slots=True)
class Suspect:
    """A labelled pair that may be labelled wrong, as a line of the review file has it.

    `key` names the pair as it stands there: another query, target or label makes it another one, of which nothing was
    decided yet. `probability` is that of the label being right, and `given` what the file itself says of the pair.
    """

    key: str
    id: str
    query: str
    target: str
    label: int
    task: str | None
    language: str | None
    english: str | None
    probability: float | None
    reasons: tuple[str, ...]
    annotator: str | None
    given: Outcome

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of a category path; the whole target where it is none."""
        if self.task != "QC":
            return (self.target,)
        try:
            return CategoryPath.parse(self.target).levels
        except DataError:
            return (self.target,)


@dataclass(frozen=True, eq=False, slots=True)
class ReviewFile:
    """A review file: its rows as they are, the suspects that they are, and the checksum of the file."""

    path: Path
    rows: pl.DataFrame
    suspects: tuple[Suspect, ...]
    sha256: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the file, in any format that holds rows; raises DataError for one that is no review of labels."""
        table = whole_table(path)
        if lacking := [name for name in _IDENTITY if name not in table.rows.columns]:
            raise DataError(f"{path} is no review file, for it lacks {', '.join(lacking)}; `shopglot audit` writes one")
        if not table.rows.height:
            raise DataError(f"{path} has no rows, so there is nothing to review")
        texts = _texts(table.rows)
        faulty = texts.with_columns(line=table.lines, fault=pl.coalesce(_faults())).drop_nulls("fault")
        if faulty.height:
            raise DataError(f"{path} line {faulty['line'][0]}: {faulty['fault'][0]}")
        return cls(path, table.rows, tuple(_suspect(row) for row in texts.iter_rows(named=True)), sha256(path))

    def written(self, outcomes: Mapping[str, Outcome]) -> bytes:
        """Return the file as CSV with the outcome of each key, which `run` takes as corrections.

        A row without an outcome keeps what the file says of it.
        """
        made = [outcomes.get(each.key, each.given) for each in self.suspects]
        columns = [
            pl.Series(name, [_no_formula(getattr(each, name)) for each in made], dtype=pl.String) for name in _OUTCOME
        ]
        texts = cs.string()
        rows = self.rows.drop(_OUTCOME, strict=False).with_columns(pl.when(texts != "").then(texts), *columns)
        file = BytesIO()
        rows.write_csv(file, include_bom=True)  # by which spreadsheets know UTF-8
        return file.getvalue()


def _no_formula(said: str | None) -> str | None:
    """Return what a person wrote so that no spreadsheet takes it for a formula."""
    return f"'{said}" if said and said[0] in "=+-@\t\r" else said


def _texts(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of a suspect as text without outer spaces, and null for what is absent or empty."""
    absent = pl.lit(None, dtype=pl.String)
    texts = rows.select(
        **{
            name: pl.col(name).cast(pl.String).str.strip_chars() if name in rows.columns else absent
            for name in (*_IDENTITY, *_OPTIONAL, *_OUTCOME)
        }
    )
    action = pl.col("action").str.to_lowercase().str.replace_all(r"\s+", " ")
    return texts.with_columns(action=action).with_columns(pl.when(pl.all() != "").then(pl.all()))


def _faults() -> list[pl.Expr]:
    """What makes a row no suspect; the first that holds is said."""
    label, probability = pl.col("label"), pl.col("probability")
    number = probability.cast(pl.Float64, strict=False)
    faults = [
        (pl.col("id").is_null(), "it has no id, by which `run` finds the pair"),
        (~pl.col("id").is_first_distinct(), "the id '{}' stands in an earlier line too; leave one of them"),
        (~label.is_in(list(_LABELS)).fill_null(value=False), "the label of '{}' is not 0 or 1"),
        (
            probability.is_not_null() & ~number.is_between(0, 1).fill_null(value=False),
            "the probability of '{}' is none",
        ),
        (
            ~pl.col("action").str.contains(ACTION).fill_null(value=True),
            "the action of '{}' is not keep, flip, drop, or weight with a number, such as weight 0.3",
        ),
    ]
    return [pl.when(holds).then(pl.format(text, "id") if "{}" in text else pl.lit(text)) for holds, text in faults]


def _suspect(row: Mapping[str, str | None]) -> Suspect:
    label = _LABELS[row["label"] or ""]
    identity = (row["id"] or "", row["query"] or "", row["target"] or "", label)
    return Suspect(
        _key(*identity),
        *identity,
        task=row["task"],
        language=row["language"],
        english=row["english"],
        probability=None if row["probability"] is None else float(row["probability"]),
        reasons=tuple(row["reasons"].split("; ")) if row["reasons"] else (),
        annotator=row["annotator"],
        given=Outcome(*(row[name] for name in _OUTCOME)),
    )


def _key(*identity: str | int) -> str:
    return hashlib.sha256("\x1f".join(map(str, identity)).encode()).hexdigest()[:24]
