"""Judgements of the same pairs, row by row, so that they can be compared."""

from collections.abc import Sequence

from shopglot.core.errors import DataError, RecipeError
from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.fold.spelling import each_once, spelling
from shopglot.report.kept import Side
from shopglot.report.summary import PREFERRED

_FEWEST = 2


def aligned(sides: Sequence[Side], on: str | None = None) -> tuple[str, list[Judged]]:
    """Return the name of the evidence and what each side judges there, in the order of the first side's pairs.

    Without `on` it is the first kind that all runs have; a scored file stands for any kind. Raises DataError where a
    side lacks pairs of the first or has more, where the same id has another text or label, and where all pairs of a
    task are of one class; RecipeError for fewer than two sides, and where a side has nothing judged on `on`.
    """
    if len(sides) < _FEWEST:
        raise RecipeError("there is nothing to compare with; name two runs or scored files or more, the base first")
    measured_on = _evidence(sides, on)
    base, *others = [side.evidence.get(measured_on) or next(iter(side.evidence.values())) for side in sides]
    _check_classes(sides[0].name, base)
    names = [side.name for side in sides]
    return measured_on, [
        base,
        *(_in_order(names[0], base, name, other) for name, other in zip(names[1:], others, strict=True)),
    ]


def _evidence(sides: Sequence[Side], on: str | None) -> str:
    asked = [side for side in sides if side.recipe is not None] or sides
    shared = [name for name in PREFERRED if all(name in side.evidence for side in asked)]
    if on is None and shared:
        return shared[0]
    for side in asked:
        if on is not None and on not in side.evidence:
            raise RecipeError(f"{side.name} has nothing judged on {on!r}; give --on one of {', '.join(side.evidence)}")
    if on is None:
        raise DataError("no kind of evidence is in all of these runs; compare runs over the same files")
    return on


def _check_classes(name: str, judged: Judged) -> None:
    for task in judged.pairs.tasks:
        labels = judged.pairs.of_task(task).labels
        if labels.min() == labels.max():
            word = "relevant" if labels.max() else "irrelevant"
            raise DataError(f"all {len(labels)} {task} pairs of {name} are {word}; compare on pairs of both classes")


def _in_order(base_name: str, base: Judged, name: str, new: Judged) -> Judged:
    """Return the new judgement in the order of the base's pairs."""
    row_of = new.pairs.frame.select("id").with_row_index("row")
    rows = base.pairs.frame.select("id").join(row_of, on="id", how="left", maintain_order="left")["row"]
    if missing := rows.null_count():
        first = base.pairs["id"].filter(rows.is_null())[0]
        raise DataError(
            f"{name} has no score for {missing} of the {len(rows)} pairs of {base_name}, the first of them {first}; "
            "compare runs over the same pairs"
        )
    if more := len(new.pairs) - len(rows):
        raise DataError(f"{name} has {more} pairs that {base_name} lacks; compare runs over the same pairs")
    order = rows.to_numpy()
    found = Judged(new.name, Pairs(new.pairs.frame[order]), new.probability[order], new.decision[order])
    _check_same(base_name, base.pairs, name, found.pairs)
    return found


def _check_same(base_name: str, base: Pairs, name: str, new: Pairs) -> None:
    """Refuse pairs that share no more than their ids; what cleaning changes of a text does not count."""
    for part in ("label", "query", "target"):
        own, other = base[part], new[part]
        if part != "label":
            own, other = each_once(own, spelling), each_once(other, spelling)
        if (differ := own.ne_missing(other)).any():
            first = base["id"].filter(differ)[0]
            raise DataError(
                f"{name} and {base_name} are over different data, for the {part} of {first} is not the same; "
                "compare runs over the same files"
            )
