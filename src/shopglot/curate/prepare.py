"""Raw files become clean pairs, for training and for scoring."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.curate.clean import BLOCKING_FLAGS, clean
from shopglot.curate.duplicates import settle_duplicates
from shopglot.curate.language import correct_languages
from shopglot.curate.quarantine import check_bad_share, write_quarantine
from shopglot.curate.read import read_pairs
from shopglot.curate.settings import CurateSettings


@dataclass(frozen=True, eq=False, slots=True)
class Curated:
    """Clean pairs, the rows set aside (columns file, line, reason, text), and what happened to how many rows."""

    pairs: Pairs
    quarantine: pl.DataFrame
    counts: dict[str, int]


def prepare(
    paths: Sequence[Path],
    settings: CurateSettings,
    *,
    max_bad_rows: float,
    quarantine: Path | None = None,
    task: Task | None = None,
    labelled_only: bool = False,
) -> Curated:
    """Return the pairs of all files that can be learned from: read, cleaned, in the right language, without duplicates.

    Rows set aside are written to the file `quarantine`; more than the share `max_bad_rows` of them raises DataError.
    Rows without a text to judge are dropped, with `labelled_only` also those without a label. `counts` tells the rows
    read, quarantined, dropped for each reason, corrected, found contradictory, and kept.
    """
    reading = read_pairs(paths, settings, task=task)
    if quarantine is not None:
        write_quarantine(reading.quarantine, quarantine)
    check_bad_share(reading, max_bad_rows, quarantine)
    counts = {"rows": reading.rows, "quarantined": reading.quarantine.height}
    pairs = clean(reading.pairs, settings)
    counts |= _flag_counts(pairs)
    pairs = pairs.filter(~pl.col("flag").is_in(BLOCKING_FLAGS).fill_null(value=False))
    if labelled_only:
        counts["unlabelled"] = pairs["label"].null_count()
        pairs = pairs.labelled
    corrected = correct_languages(pairs, settings)
    counts["languages corrected"] = _changed_languages(pairs, corrected)
    settled, found = settle_duplicates(corrected, settings)
    counts |= found | {"kept": len(settled)}
    if not len(settled):
        listed = ", ".join(f"{name}: {count}" for name, count in counts.items())
        raise DataError(f"no pair is left to learn from ({listed}); check the files and the settings of curate")
    return Curated(settled, reading.quarantine, counts)


def prepare_for_scoring(
    paths: Sequence[Path],
    settings: CurateSettings,
    *,
    max_bad_rows: float = 1.0,
    quarantine: Path | None = None,
    task: Task | None = None,
) -> Curated:
    """Return the pairs of all files in their order: read, cleaned, flagged, in the right language; none is dropped.

    Only rows that are no pairs are in the quarantine, written to that file if there are any; more than the share
    `max_bad_rows` of them raises DataError. Ids may repeat, and a label that cannot be read is no label. With
    `settings.languages` named, what becomes of a row does not depend on the other rows.
    """
    reading = read_pairs(paths, settings, task=task, training=False)
    if quarantine is not None:
        quarantine.unlink(missing_ok=True)  # that of an earlier scoring says nothing of this one
        if reading.quarantine.height:
            write_quarantine(reading.quarantine, quarantine)
    check_bad_share(reading, max_bad_rows, quarantine)
    pairs = clean(reading.pairs, settings)
    corrected = correct_languages(pairs, settings)
    counts = {"rows": reading.rows, "quarantined": reading.quarantine.height} | _flag_counts(pairs)
    counts["languages corrected"] = _changed_languages(pairs, corrected)
    return Curated(corrected, reading.quarantine, counts)


def _flag_counts(pairs: Pairs) -> dict[str, int]:
    flags = pairs["flag"].drop_nulls().value_counts(sort=True)
    return dict(flags.iter_rows())


def _changed_languages(before: Pairs, after: Pairs) -> int:
    return int(before["language"].ne_missing(after["language"]).sum())
