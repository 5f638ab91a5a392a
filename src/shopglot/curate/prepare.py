"""Raw files become clean pairs, for training and for scoring."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.remembered import Remembered
from shopglot.curate.clean import BLOCKING_FLAGS, clean
from shopglot.curate.duplicates import settle_duplicates
from shopglot.curate.language import correct_languages
from shopglot.curate.quarantine import check_bad_share, write_quarantine
from shopglot.curate.raw import QUARANTINE
from shopglot.curate.read import read_pairs
from shopglot.curate.settings import CurateSettings

log = logging.getLogger(__name__)
_OTHER_SEPARATOR: Final = r", |[>/|;]"
_SEVERAL_LEVELS: Final = ",[^ ]"


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
    warn_of_one_level(pairs)
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
    check_labels: bool = False,
) -> Curated:
    """Return the pairs of all files in their order: read, cleaned, flagged, in the right language; none is dropped.

    Only rows that are no pairs are in the quarantine, written to that file if there are any; more than the share
    `max_bad_rows` of them raises DataError. Ids may repeat, and a label that cannot be read is no label; with
    `check_labels` both are bad rows, as in training. With `settings.languages` named, what becomes of a row does not
    depend on the other rows.
    """
    reading = read_pairs(paths, settings, task=task, training=check_labels)
    if quarantine is not None:
        quarantine.unlink(missing_ok=True)  # that of an earlier scoring says nothing of this one
        if reading.quarantine.height:
            write_quarantine(reading.quarantine, quarantine)
    check_bad_share(reading, max_bad_rows, quarantine)
    corrected, counts = curated(reading.pairs, settings)
    warn_of_one_level(corrected)
    return Curated(
        corrected, reading.quarantine, {"rows": reading.rows, "quarantined": reading.quarantine.height} | counts
    )


def curated(raw: Pairs, settings: CurateSettings, memory: Remembered | None = None) -> tuple[Pairs, dict[str, int]]:
    """Return the same rows cleaned, flagged and in the right language, with the number of rows of each flag.

    `memory` is that of `correct_languages`.
    """
    pairs = clean(raw, settings)
    corrected = correct_languages(pairs, settings, memory)
    counts = {"languages corrected": _changed_languages(pairs, corrected)} if settings.correct_language else {}
    return corrected, _flag_counts(pairs) | counts


def prepare_for_judging(
    paths: Sequence[Path], settings: CurateSettings, tasks: Sequence[Task], *, max_bad_rows: float, quarantine: Path
) -> Curated:
    """Return the pairs that a model of `tasks` is judged on, as it would score them; no paths give no pairs.

    Labels and ids are checked as in training, and `counts` tells the rows without a label. Raises DataError for pairs
    of another task.
    """
    if not paths:
        return Curated(Pairs.concat([]), QUARANTINE.to_frame(), {})
    read = prepare_for_scoring(paths, settings, max_bad_rows=max_bad_rows, quarantine=quarantine, check_labels=True)
    if foreign := [task for task in read.pairs.tasks if task not in tasks]:
        raise DataError(
            f"of the dev files, some hold {' and '.join(foreign)} pairs and no training file does; add such training "
            "files, or leave those dev files out"
        )
    return Curated(read.pairs, read.quarantine, read.counts | {"unlabelled": read.pairs["label"].null_count()})


def warn_of_one_level(pairs: Pairs) -> None:
    """Say so when paths are in the way shops write them elsewhere: `home/garden`, `home|garden`, `home, garden`."""
    paths = pairs.of_task("QC")["target"].unique()
    flat = paths.str.contains(_OTHER_SEPARATOR) & ~paths.str.contains(_SEVERAL_LEVELS)
    if flat.sum() > len(paths) / 2:
        first = paths.filter(flat).sort()[0]
        log.warning(
            "%d of %d category paths are one level, such as %r; separate levels by ' > ' or by a comma without a space",
            flat.sum(), len(paths), first,
        )  # fmt: skip


def _flag_counts(pairs: Pairs) -> dict[str, int]:
    flags = pairs["flag"].drop_nulls().value_counts(sort=True)
    return dict(flags.iter_rows())


def _changed_languages(before: Pairs, after: Pairs) -> int:
    return int(before["language"].ne_missing(after["language"]).sum())
