"""The judged pairs that a run keeps, and how they are read back to be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from shopglot.core.errors import DataError
from shopglot.core.files import whole_file
from shopglot.core.judged import Judged
from shopglot.core.pairs import OWN, SCHEMA, Pairs
from shopglot.pack.scored import read_scored, require_ids_once

KEPT: Final = "judged.parquet"
_PAIR: Final = ("id", "task", "language", "query", "target", "english", "concept", "label")
_COLUMNS: Final = {
    "evidence": pl.String(),
    **{name: SCHEMA[name] for name in _PAIR},
    "probability": pl.Float64(),
    "decision": pl.Boolean(),
    "fold": pl.String(),
}


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """One of the things that are compared, by the name it was given.

    `evidence` holds its judged pairs by the name of the evidence; a scored file has one, "scored file", and no
    `recipe`.
    """

    name: str
    evidence: Mapping[str, Judged]
    recipe: Mapping[str, Any] | None = None


def write_judged(judged: Sequence[Judged], columns: Sequence[str], out: Path) -> None:
    """Write the pairs of every kind of evidence with what was decided, and the files' own `columns` as they were."""
    with whole_file(out / KEPT) as part:
        pl.concat([_table(each, columns) for each in judged], how="diagonal_relaxed").write_parquet(part)


def read_side(path: Path) -> Side:
    """Return the judged pairs of a run's folder or of a scored file that has labels.

    Raises DataError where there is neither, where an id stands twice, and where a probability is missing or none.
    """
    if path.is_dir():
        return Side(str(path), _read_judged(path / KEPT), _read_recipe(path / "recipe.yaml"))
    if not path.is_file():
        raise DataError(f"no run or scored file at {path}; name the folder of a finished run or a scored file")
    judged, _ = read_scored(path)
    return Side(str(path), {judged.name: judged})


def _table(judged: Judged, columns: Sequence[str]) -> pl.DataFrame:
    frame = judged.pairs.frame
    own = [OWN + name for name in columns if OWN + name in frame.columns]
    return frame.select(
        pl.lit(judged.name).alias("evidence"),
        *_PAIR,
        pl.Series("probability", judged.probability),
        pl.Series("decision", judged.decision),
        (pl.lit(None) if judged.fold is None else judged.fold).cast(pl.String).alias("fold"),
        *own,
    )


def _read_judged(path: Path) -> dict[str, Judged]:
    if not path.is_file():
        raise DataError(f"no judged pairs at {path}; make them with `shopglot run`, which goes on from its models")
    try:
        table = pl.read_parquet(path).cast(_COLUMNS)  # type: ignore[arg-type]  # the columns as they were written
    except (pl.exceptions.PolarsError, OSError) as reason:
        raise DataError(f"{path} holds no judged pairs of this version of shopglot; run it again") from reason
    probability = table["probability"]
    sound = probability.is_between(0.0, 1.0).fill_null(value=False)
    if not sound.all():
        row, value = table["id"].filter(~sound)[0], probability.filter(~sound)[0]
        raise DataError(f"the probability of {row} in {path} is {value}, not a number from 0 to 1; run it again")
    found = {}
    for (name,), rows in table.group_by("evidence", maintain_order=True):
        decided = rows.select("probability", "decision", "fold")
        pairs = Pairs.from_frame(rows.drop("evidence", *decided.columns))
        require_ids_once(pairs, f"{path}, {name}")
        fold = None if decided["fold"].null_count() else decided["fold"]
        judged = Judged(str(name), pairs, decided["probability"].to_numpy(), decided["decision"].to_numpy(), fold)
        found[judged.name] = judged
    return found


def _read_recipe(path: Path) -> Mapping[str, Any]:
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as reason:
        raise DataError(f"{path} cannot be read; name the folder of a finished run") from reason
    if not isinstance(recipe, dict):
        raise DataError(f"{path} holds no recipe; name the folder of a finished run")
    return recipe
