"""One search pair: a query beside the category path or the product title it is judged against."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Task = Literal["QC", "QI"]
TASKS: Final[tuple[Task, ...]] = get_args(Task)


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and a target, with what is known about them.

    `target` is a category path in task QC and a product title in task QI. `language` is an ISO 639-1 code,
    `english` the query in English, `label` 1 for relevant. `concept` names the meaning that twins in other
    languages share; `made_from` and `made_by` mark pairs that were made from another pair.

    >>> Pair(task="QC", query="écouteurs", target="consumer electronics,audio,headphones").label is None
    True
    """

    task: Task
    query: str
    target: str
    id: str | None = None
    language: str | None = None
    english: str | None = None
    label: int | None = None
    concept: str | None = None
    made_from: str | None = None
    made_by: str | None = None
    annotator: str | None = None
    weight: float = 1.0
