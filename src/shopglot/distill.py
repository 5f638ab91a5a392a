"""A finished run teaches a smaller model, read top to bottom."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from shopglot.config import Recipe, load_recipe
from shopglot.core.errors import RecipeError
from shopglot.core.files import whole_file, write_json
from shopglot.core.folds import TUNE, Folds
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import SavableScorer
from shopglot.curate.prepare import prepare_for_scoring
from shopglot.enrich.dropout import drop_translations
from shopglot.enrich.negatives import negatives
from shopglot.fold.describe import describe
from shopglot.fold.store import load_folds
from shopglot.learn.encoders import frozen_encoder
from shopglot.learn.settings import UNIVERSAL
from shopglot.learn.validate import fit_once
from shopglot.merge.blend import Blend, MemberScores
from shopglot.merge.weights import fit_weights
from shopglot.pack.bundle import Calibrated, load
from shopglot.pack.distill import TransferSet, from_labelled, from_unlabelled, student_of, trimmed_student
from shopglot.pack.distill_settings import DistillSettings
from shopglot.pack.record import begin_run, keep_teacher, read_scores, require_finished
from shopglot.pipeline import (
    Data,
    Stages,
    bundle_of,
    decide_parts,
    enriched,
    gather,
    load_fitted,
    relevant_rates,
    score_parts,
    shipped_facts,
    template,
)
from shopglot.report.card import model_card
from shopglot.report.compare import compare_sides
from shopglot.report.compare_page import write_comparison
from shopglot.report.distilled import Distilled, beside, shared
from shopglot.report.kept import KEPT, read_side, write_judged
from shopglot.report.summary import summarise
from shopglot.report.write import write_report

log = logging.getLogger(__name__)
DISTILL: Final = "distill.yaml"
LESSONS: Final = "lessons.parquet"


def distill(
    folder: str | Path, settings: DistillSettings, out: str | Path, unlabelled: Sequence[str | Path] = ()
) -> Distilled:
    """Teach a small scorer what a finished run knows, and leave in `out` what a run leaves: a bundle and a report.

    Labelled pairs teach what the run said of them out of fold; pairs of the files `unlabelled`, and pairs that are
    made, what its bundle says. The student is calibrated on the tune part, which neither of them learned from. Started
    again after a kill, it goes on. Raises DataError where the run is unfinished, or its files or scores are others'.
    """
    folder, out, files, stages = Path(folder), Path(out), [Path(file) for file in unlabelled], Stages()
    with stages.timed("curate"):
        teacher = _teacher(folder, settings, files, out)
        recipe, data, folds = _taught(teacher.recipe, settings), teacher.data, teacher.folds
    with stages.timed("teach"):
        lessons = _lessons_once(teacher, settings, files, out)
    with stages.timed("learn"):
        students = _students(recipe, settings, data, lessons, out)
    with stages.timed("merge"):
        tasks = {each.name: each.tasks for each in recipe.learn}
        scored = score_parts(_evenly(students, tasks), data, folds, tasks)
        blend = _weighed(students, tasks, scored[TUNE])
        decision, judged = decide_parts(blend, scored, recipe, relevant_rates(data, blend))
        write_judged(judged, recipe.report.slices, out)
    with stages.timed("report"):
        report = summarise(
            recipe.name,
            judged,
            {},
            recipe.report,
            seed=recipe.seed,
            thresholds=decision.thresholds,
            learned=lessons.pairs.labelled,
        )
        facts = {"data": data.facts, "folds": describe(data.train, folds), "seed": recipe.seed}
        report = report.with_facts(**facts, lessons=lessons.counts)
        ours, theirs = shared(replace(read_side(out), name=recipe.name), read_side(folder))
        distilled = beside(ours, theirs, lessons.counts, recipe.report, recipe.seed)
        write_json(out / "distill.json", distilled.to_json())
        if distilled.evidence:
            write_comparison(compare_sides([theirs, ours], settings=recipe.report), out / "compared")
    with stages.timed("pack"):
        bundle = bundle_of(recipe, data, blend, decision)
        bundle.save(out / "bundle", card=model_card(report, shipped_facts(recipe, data, folds, bundle)))
    write_report(report.with_facts(stages=stages.seconds), out)
    return distilled


def _taught(recipe: Recipe, settings: DistillSettings) -> Recipe:
    """Return the run's recipe with the students as its learners, each of those of its tasks that the run knows."""
    students = []
    for each in settings.student:
        tasks = tuple(task for task in recipe.tasks if task in each.tasks)
        if not tasks:
            raise RecipeError(
                f"student {each.name!r}: the run knows only {' and '.join(recipe.tasks)}; name one as task"
            )
        students.append(each.model_copy(update={"tasks": tasks}))
    return recipe.model_copy(update={"name": settings.name, "learn": tuple(students)})


@dataclass(frozen=True, eq=False, slots=True)
class _Teacher:
    """A finished run: its recipe, its pairs and its folds."""

    folder: Path
    recipe: Recipe
    data: Data
    folds: Folds


def _teacher(folder: Path, settings: DistillSettings, unlabelled: Sequence[Path], out: Path) -> _Teacher:
    """Return the run that teaches, and begin in `out` a run that belongs to it and to these settings and files."""
    require_finished(folder, KEPT, "bundle/manifest.json")
    recipe = load_recipe(folder / "recipe.yaml")
    student = _taught(recipe, settings)
    begin_run(settings.to_yaml(), out, DISTILL)
    data = enriched(recipe, gather(recipe, out))
    keep_teacher(folder, unlabelled, out)
    with whole_file(out / "recipe.yaml") as part:  # for the commands that read runs
        part.write_text(student.to_yaml(), encoding="utf-8")
    return _Teacher(folder, recipe, data, load_folds(folder / "folds"))


def _lessons_once(teacher: _Teacher, settings: DistillSettings, unlabelled: Sequence[Path], out: Path) -> TransferSet:
    """Return what the teacher says, and keep it in `out`, for its bundle takes its time to judge pairs."""
    kept, recipe, folds, pairs = out / LESSONS, teacher.recipe, teacher.folds, teacher.data.train
    if kept.is_file():
        return TransferSet.read(kept)
    given = pairs.filter(pl.col("made_from").is_null())
    scores = read_scores(teacher.folder, given, folds, {each.name: each.tasks for each in recipe.learn})
    lessons = from_labelled(pairs, folds, scores, recipe.merge, labels=settings.labels)
    candidates = _candidates(teacher, settings, unlabelled)
    if len(candidates):
        bundle = load(teacher.folder / "bundle").knowing(candidates.of_task("QC")["target"].unique())
        lessons += from_unlabelled(
            candidates, pairs, folds, recipe.fold, dev=teacher.data.dev, teacher=Calibrated(bundle)
        )
    log.info("lessons: %s", ", ".join(f"{origin}: {count:,}" for origin, count in lessons.counts.items()))
    lessons.save(kept)
    return lessons


def _candidates(teacher: _Teacher, settings: DistillSettings, unlabelled: Sequence[Path]) -> Pairs:
    """Return pairs without labels for the teacher to judge: those of files, and those made from training pairs."""
    recipe, data, found = teacher.recipe, teacher.data, []
    if unlabelled:
        read = prepare_for_scoring(unlabelled, recipe.curate).pairs.of_tasks(recipe.tasks).frame
        number = pl.format("unlabelled-{}", pl.int_range(pl.len()))
        found.append(Pairs(read.with_columns(id=number, made_from=pl.lit(None, pl.String))))
    if (how := settings.made) is not None:
        encoder = frozen_encoder(UNIVERSAL, "") if "embedding" in how.shares else None
        train = data.train.filter(teacher.folds.trains(data.train, None))
        found.append(negatives(train, how, seed=recipe.seed, taxonomy=data.taxonomy, encoder=encoder).pairs)
    return Pairs.concat(found)


def _students(
    taught: Recipe, settings: DistillSettings, data: Data, lessons: TransferSet, out: Path
) -> dict[str, SavableScorer]:
    """Return each student, fitted or read back."""
    scorers, pairs = {}, lessons.pairs
    if rate := taught.enrich.translation_dropout:
        pairs = drop_translations(pairs, rate, taught.seed)
    for given, known in zip(settings.student, taught.learn, strict=True):
        own = given.model_copy(update={"tasks": known.tasks})
        student = student_of(own, settings, template(taught), data.taxonomy, lessons)
        if settings.trim:
            student = trimmed_student(student, [pairs, *_texts_known(data, lessons)], settings.spare)
        folder = out / "models" / own.name
        scorers[own.name] = fit_once(student, pairs.of_tasks(own.tasks), folder, load_fitted, "all folds")
    return scorers


def _texts_known(data: Data, lessons: TransferSet) -> list[Pairs]:
    """Return all pairs whose texts a student may meet: those it learns from, those of the run, and all categories."""
    paths = pl.DataFrame({"target": data.taxonomy}, schema={"target": pl.String})
    return [
        lessons.pairs,
        data.train,
        data.dev,
        Pairs.from_frame(paths.with_columns(task=pl.lit("QC"), query=pl.lit(""))),
    ]


def _evenly(scorers: Mapping[str, SavableScorer], tasks: Mapping[str, tuple[Task, ...]]) -> Blend:
    """Return the blend in which all members of a task weigh the same."""
    members = {task: [name for name, own in tasks.items() if task in own] for task in TASKS}
    return Blend(scorers, {task: dict.fromkeys(names, 1 / len(names)) for task, names in members.items() if names})


def _weighed(scorers: Mapping[str, SavableScorer], tasks: Mapping[str, tuple[Task, ...]], tune: MemberScores) -> Blend:
    """Return the blend with the weights that fit the labels of the tune part best."""
    evenly, weights = _evenly(scorers, tasks), {}
    for task, own in evenly.weights.items():
        rows = (tune.pairs["task"] == task).to_numpy() & tune.pairs.readable
        scores = np.column_stack([tune.members[name][rows] for name in own])
        fitted = fit_weights(tune.pairs.filter(rows).labels, scores)
        weights[task] = dict(zip(own, fitted.tolist(), strict=True))
    return Blend(scorers, weights)
