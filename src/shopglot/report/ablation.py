"""The ablation table in the form of the published one: what a recipe has switched on, and the F1 it reaches."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from shopglot.core.errors import DataError
from shopglot.core.judged import Judged
from shopglot.core.pair import TASKS, Task
from shopglot.curate.clean import CLEANING_VERSION
from shopglot.enrich.settings import EnrichSettings
from shopglot.fold.settings import FoldSettings
from shopglot.format.settings import FormatSettings
from shopglot.format.template import Template
from shopglot.learn.llm_settings import LLMSettings
from shopglot.learn.load import read_queries
from shopglot.learn.settings import EmbeddingSettings, LearnerSettings, LexicalSettings
from shopglot.report.figures import DASH, percent, points, task_name
from shopglot.report.kept import Side
from shopglot.report.measure import Measures, Spread, values_of
from shopglot.report.sections import Row, Table
from shopglot.report.summary import OUT_OF_FOLD

_CATEGORY_AWARE: Final = ("both", "category")


class Figure(BaseModel):
    """The mean and the sample deviation of some values, of one value no deviation."""

    model_config = ConfigDict(frozen=True)

    mean: float
    deviation: float | None
    values: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Figure | None":
        """Return the figure, or None without a value."""
        spread = Spread.of(values)
        deviation = None if spread is None else spread.deviation
        return cls(mean=float(np.mean(values)), deviation=deviation, values=len(values)) if values else None


class TaskAblation(BaseModel):
    """F1 of one task out of fold, over the folds of all seeds, and on the evidence that the runs share, over the seeds.

    `gap` is F1 out of fold, all folds of a run together, minus F1 on the shared evidence, the mean of the seeds. What
    a run lacks is None.
    """

    model_config = ConfigDict(frozen=True)

    out_of_fold: Figure | None
    shared: Figure | None
    gap: float | None
    all_positive_f1: float


class AblationRow(BaseModel):
    """The runs of one recipe that differ in nothing but their seeds."""

    model_config = ConfigDict(frozen=True)

    recipe: str
    architecture: str
    translation: str
    category_aware_split: bool
    made_pairs: str
    stages: str
    lora_targets: str
    runs: list[str]
    tasks: dict[Task, TaskAblation]


class _Setup(BaseModel):
    """The parts of a recipe that the table shows."""

    model_config = ConfigDict(frozen=True)

    name: str
    enrich: EnrichSettings
    fold: FoldSettings
    format: FormatSettings
    learn: tuple[LearnerSettings, ...]


def ablation_rows(sides: Sequence[Side], shared: str) -> list[AblationRow]:
    """Return one row per recipe, in their order, for the sides that are runs; `shared` is the evidence they share."""
    alike: dict[str, list[Side]] = {}
    for side in sides:
        if side.recipe is not None:
            alike.setdefault(repr(_without_seeds(side.recipe)), []).append(side)
    return [_row(runs, shared) for runs in alike.values()]


def ablation_table(rows: Sequence[AblationRow], shared: str) -> Table:
    """Return the table in the form of the published one, F1 in per cent."""
    tasks = [task for task in TASKS if any(task in row.tasks for row in rows)]
    columns = ["recipe", "architecture", "translation", "category-aware split", "made pairs", "stages", "LoRA targets"]
    for task in tasks:
        columns += [
            f"{task} F1 % out of fold",
            f"{task} F1 % on {shared}",
            f"{task} gap, points",
            f"{task} all-positive F1 %",
        ]
    cells = [
        (
            row.architecture,
            row.translation,
            "yes" if row.category_aware_split else "no",
            row.made_pairs,
            row.stages,
            row.lora_targets,
            *(text for task in tasks for text in _figures(row.tasks.get(task))),
            str(len(row.runs)),
        )
        for row in rows
    ]
    names = " and ".join(task_name(task) for task in tasks)
    caption = f"{names}: mean ± deviation, out of fold over the folds of all seeds, on {shared} over the seeds"
    named = tuple(Row(row.recipe, each) for row, each in zip(rows, cells, strict=True))
    return Table(caption, (*columns, "seeds"), named)


def markdown(table: Table) -> str:
    """Return a table in Markdown under its caption."""
    head = [_line(table.columns), _line(["---"] * len(table.columns))]
    body = [_line([row.name, *row.cells]) for row in table.rows]
    return "\n".join([f"{table.caption}.", "", *head, *body, ""])


def _without_seeds(recipe: Any) -> Any:
    """Return the settings without what only draws; the seed of simulated data is what the data are."""
    if isinstance(recipe, dict):
        return {key: each if key == "data" else _without_seeds(each) for key, each in recipe.items() if key != "seed"}
    return [_without_seeds(each) for each in recipe] if isinstance(recipe, list) else recipe


def _row(runs: Sequence[Side], shared: str) -> AblationRow:
    try:
        setup = _Setup.model_validate(runs[0].recipe)
    except ValidationError as reason:
        raise DataError(f"{runs[0].name} holds a recipe of another version of shopglot; run it again") from reason
    template = Template(setup.format, CLEANING_VERSION)
    tuned = [settings for settings in setup.learn if isinstance(settings, LLMSettings)]
    return AblationRow(
        recipe=setup.name,
        architecture=_joined(map(_architecture, setup.learn), " + "),
        translation=_joined((_queries(read_queries(settings, template)) for settings in setup.learn), " + "),
        category_aware_split=setup.fold.qc in _CATEGORY_AWARE,
        made_pairs=_joined(_made(setup.enrich), ", "),
        stages=_joined(map(_stages, setup.learn), " + "),
        lora_targets=_joined((each.lora.targets if each.lora else "all weights" for each in tuned), " + "),
        runs=[side.name for side in runs],
        tasks={task: _task(runs, task, shared) for task in runs[0].evidence[shared].pairs.tasks},
    )


def _joined(words: Iterable[str], between: str) -> str:
    """Return the distinct words in their order, or a dash for none."""
    return between.join(dict.fromkeys(word for word in words if word)) or DASH


def _architecture(settings: LearnerSettings) -> str:
    return settings.learner if isinstance(settings, LexicalSettings) else settings.model.removeprefix("embedded:")


def _queries(texts: Sequence[str]) -> str:
    return "both" if len(texts) > 1 else texts[0]


def _made(settings: EnrichSettings) -> list[str]:
    """Return the kinds of pairs that are made, each with its share."""
    shares = settings.make.model_dump(exclude={"translated"}) | {"translated": settings.make.translated.share}
    return [f"{kind} {share:g}" for kind, share in shares.items() if isinstance(share, float) and share]


def _stages(settings: LearnerSettings) -> str:
    if isinstance(settings, LLMSettings):
        return " → ".join(" and ".join(stage.tasks or settings.tasks) for stage in settings.stages)
    return "contrast → head" if isinstance(settings, EmbeddingSettings) and settings.contrast else ""


def _task(runs: Sequence[Side], task: Task, shared: str) -> TaskAblation:
    inside = [_of_task(side.evidence[OUT_OF_FOLD], task) for side in runs if OUT_OF_FOLD in side.evidence]
    outside = [_of_task(side.evidence[shared], task) for side in runs] if shared != OUT_OF_FOLD else []
    by_fold = [
        Measures.of(judged, rows).f1
        for judged in inside
        if judged.fold is not None
        for rows in values_of(judged.fold).values()
    ]
    held_out, seen = ([Measures.of(judged).f1 for judged in each if len(judged.pairs)] for each in (outside, inside))
    return TaskAblation(
        out_of_fold=Figure.of(by_fold),
        shared=Figure.of(held_out),
        gap=float(np.mean(seen) - np.mean(held_out)) if seen and held_out else None,
        all_positive_f1=Measures.of((outside or inside)[0]).all_positive_f1,
    )


def _of_task(judged: Judged, task: Task) -> Judged:
    return judged.where((judged.pairs["task"] == task).to_numpy())


def _figures(found: TaskAblation | None) -> tuple[str, ...]:
    if found is None:
        return (DASH,) * 4
    gap = DASH if found.gap is None else points(found.gap)
    return _figure(found.out_of_fold), _figure(found.shared), gap, percent(found.all_positive_f1)


def _figure(figure: Figure | None) -> str:
    if figure is None:
        return DASH
    return percent(figure.mean) + ("" if figure.deviation is None else f" ± {percent(figure.deviation)}")


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
