"""The ablation table in the form of the published one: what a recipe has switched on, and the F1 it reaches."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

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


class Reached(BaseModel):
    """What some judgements reach, on the mean: F1 with its sample deviation, which one judgement alone has not.

    `all_positive_f1` says how high F1 is without a model, and `roc_auc` does not depend on how many pairs are relevant;
    it is None where no judgement has both classes.
    """

    model_config = ConfigDict(frozen=True)

    judgements: int
    f1: float
    deviation: float | None
    all_positive_f1: float
    roc_auc: float | None

    @classmethod
    def of(cls, measured: Sequence[Measures]) -> "Reached | None":
        """Return the means, or None without a judgement."""
        if not measured:
            return None
        spread = Spread.of([each.f1 for each in measured])
        areas = [each.roc_auc for each in measured if each.roc_auc is not None]
        return cls(
            judgements=len(measured),
            f1=float(np.mean([each.f1 for each in measured])),
            deviation=None if spread is None else spread.deviation,
            all_positive_f1=float(np.mean([each.all_positive_f1 for each in measured])),
            roc_auc=float(np.mean(areas)) if areas else None,
        )


class TaskAblation(BaseModel):
    """One task out of fold, over the folds of all seeds, and on the evidence that the runs share, over the seeds."""

    model_config = ConfigDict(frozen=True)

    out_of_fold: Reached | None
    shared: Reached | None


class AblationRow(BaseModel):
    """The runs of one recipe that differ in nothing but their seeds."""

    model_config = ConfigDict(frozen=True)

    recipe: str
    simulated: bool
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
    data: dict[str, JsonValue]
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
    """Return what each recipe has switched on and its F1, in the form of the published table."""
    tasks = _tasks(rows)
    switches = ("architecture", "translation", "category-aware split", "made pairs", "stages", "LoRA targets")
    figures = [f"{task} F1 % {where}" for task in tasks for where in ("out of fold", f"on {shared}")]
    named = tuple(Row(row.recipe, (*_switches(row), *_f1s(row, tasks), str(len(row.runs)))) for row in rows)
    names = " and ".join(map(task_name, tasks))
    caption = f"{names}: mean ± deviation, out of fold over the folds of all seeds, on {shared} over the seeds"
    return Table(caption, ("recipe", *switches, *figures, "seeds"), named)


def gap_table(rows: Sequence[AblationRow], shared: str) -> Table:
    """Return how the out-of-fold figures stand to those on the shared evidence: what a split changes."""
    parts = ("all-positive F1 % out of fold", f"all-positive F1 % on {shared}", "F1 gap, points", "ROC-AUC gap, points")
    tasks = _tasks(rows)
    named = tuple(Row(row.recipe, tuple(text for task in tasks for text in _gap(row.tasks.get(task)))) for row in rows)
    columns = (f"{task} {part}" for task in tasks for part in parts)
    return Table(f"Out of fold minus {shared}, the means of the seeds", ("recipe", *columns), named)


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
        simulated=bool(setup.data.get("simulate")),
        architecture=_joined(map(_architecture, setup.learn), " + "),
        translation=_joined((_queries(read_queries(settings, template)) for settings in setup.learn), " + ")
        + (f", dropout {dropout:g}" if (dropout := setup.enrich.translation_dropout) else ""),
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
    """Return the kinds of pairs that are made, each with its share; negatives with their number per relevant pair."""
    shares = settings.make.model_dump(exclude={"translated"}) | {"translated": settings.make.translated.share}
    if settings.negatives is not None:
        shares["negatives"] = settings.negatives.per_positive
    return [f"{kind} {share:g}" for kind, share in shares.items() if isinstance(share, float) and share]


def _stages(settings: LearnerSettings) -> str:
    if isinstance(settings, LLMSettings):
        return " → ".join(" and ".join(stage.tasks or settings.tasks) for stage in settings.stages)
    return "contrast → head" if isinstance(settings, EmbeddingSettings) and settings.contrast else ""


def _task(runs: Sequence[Side], task: Task, shared: str) -> TaskAblation:
    inside = [_of_task(side.evidence[OUT_OF_FOLD], task) for side in runs if OUT_OF_FOLD in side.evidence]
    by_fold = [
        Measures.of(judged, rows)
        for judged in inside
        if judged.fold is not None
        for rows in values_of(judged.fold).values()
    ]
    outside = [_of_task(side.evidence[shared], task) for side in runs] if shared != OUT_OF_FOLD else []
    return TaskAblation(out_of_fold=Reached.of(by_fold), shared=Reached.of([Measures.of(each) for each in outside]))


def _of_task(judged: Judged, task: Task) -> Judged:
    return judged.where((judged.pairs["task"] == task).to_numpy())


def _tasks(rows: Sequence[AblationRow]) -> list[Task]:
    return [task for task in TASKS if any(task in row.tasks for row in rows)]


def _switches(row: AblationRow) -> tuple[str, ...]:
    split = "yes" if row.category_aware_split else "no"
    return row.architecture, row.translation, split, row.made_pairs, row.stages, row.lora_targets


def _f1s(row: AblationRow, tasks: Sequence[Task]) -> list[str]:
    unmeasured = TaskAblation(out_of_fold=None, shared=None)
    each = [row.tasks.get(task, unmeasured) for task in tasks]
    reached = [part for own in each for part in (own.out_of_fold, own.shared)]
    return [DASH if part is None else _f1(part) for part in reached]


def _f1(reached: Reached) -> str:
    return percent(reached.f1) + ("" if reached.deviation is None else f" ± {percent(reached.deviation)}")


def _gap(found: TaskAblation | None) -> tuple[str, ...]:
    inside, outside = (found.out_of_fold, found.shared) if found else (None, None)
    every = tuple(DASH if each is None else percent(each.all_positive_f1) for each in (inside, outside))
    if inside is None or outside is None:
        return (*every, DASH, DASH)
    areas = (inside.roc_auc, outside.roc_auc)
    area = DASH if areas[0] is None or areas[1] is None else points(areas[0] - areas[1])
    return (*every, points(inside.f1 - outside.f1), area)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
