"""What a label audit leaves for people: a ranked file to edit, and a table of where the noise gathers."""

from io import BytesIO
from pathlib import Path
from typing import Final

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from shopglot.core.errors import DataError
from shopglot.core.files import whole_file
from shopglot.report.audit import Known, LabelAudit
from shopglot.report.figures import count, percent
from shopglot.report.sections import SMALL

_SUFFIXES: Final = (".csv", ".jsonl")
_SHOWN: Final = 10
"""Values of a slice in the table, the most suspected ones first."""


def check_review(path: Path) -> None:
    """Raise DataError, before any work is done, for a name that says no format a person can edit."""
    if path.suffix not in _SUFFIXES:
        raise DataError(f"cannot write {path.name!r}; give --out a name that ends in {' or '.join(_SUFFIXES)}")


def write_review(listed: pl.DataFrame, path: Path) -> None:
    """Write the suspects as CSV or JSON lines, whatever the suffix says; the same file again is left as it is.

    Raises DataError where another file stands there, for someone may have edited it.
    """
    file = BytesIO()
    if path.suffix == ".csv":
        listed.write_csv(file, include_bom=True)  # by which spreadsheets know UTF-8
    else:
        listed.write_ndjson(file)
    if path.exists():
        if path.is_dir() or path.read_bytes() != file.getvalue():
            raise DataError(f"{path} is there already and holds something else; name another file with --out")
        return
    with whole_file(path) as part:
        part.write_bytes(file.getvalue())


def noise_table(audit: LabelAudit, name: str) -> Table:
    """Return which share of the labels is doubtful, per task and slice, for `rich.console.Console.print`."""
    table = Table(
        title=Text(f"{name}: doubtful labels"),
        caption=f"suspected: by confident learning, the models' own mistakes among them; contradicted: by more related "
        f"labels than confirm it; at most {_SHOWN} values each; *: under {SMALL} pairs",
        box=SIMPLE_HEAD,
        collapse_padding=True,
    )
    table.add_column("task, slice")
    for column in ("suspected %", "contradicted %", "pairs"):
        table.add_column(column, justify="right", no_wrap=True)
    for (task, slice_), rows in audit.noise.group_by("task", "slice", maintain_order=True):
        whole = slice_ == "all"
        if whole:
            table.add_section()
        for value, pairs, suspected, contradicted in (
            rows.head(_SHOWN).select("value", "pairs", "suspected", "contradicted").rows()
        ):
            label = task if whole else f"  {slice_}: {value}"
            cells = (percent(suspected), percent(contradicted), count(pairs) + ("*" if pairs < SMALL else " "))
            table.add_row(Text(str(label)), *cells, style="bold" if whole else None)
    return table


def outcome(audit: LabelAudit, listed: int, known: Known | None) -> list[str]:
    """Return in sentences what was listed, what could not be audited and, where it is known, how many are wrong."""
    audited = audit.suspects.height
    sentences = [f"{count(listed)} of {count(audited)} audited labels are listed, the likeliest to be wrong first"]
    if audit.unscored:
        sentences.append(
            f"{count(audit.unscored)} pairs judge no fold and have no score, so that only contradicted ones are audited"
        )
    if known is not None:
        sentences += [
            f"simulated noise: {count(known.found)} of the listed labels are wrong, a precision of "
            f"{percent(known.precision)} %",
        ]
    if known is not None and known.flipped:
        sentences += [
            f"of the {count(known.flipped)} wrong ones among the audited labels ({count(known.everywhere)} among all) "
            f"that is a recall of {percent(known.recall)} %",
        ]
    return sentences
