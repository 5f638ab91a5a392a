"""Whole runs as short functions, read top to bottom."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from shutil import rmtree
from time import perf_counter
from typing import Any

import polars as pl

from shopglot.config import Recipe, checked_sweep, trial_recipe
from shopglot.core.errors import RecipeError
from shopglot.core.files import below_common, checksums, sha256, whole_file
from shopglot.core.folds import TEST, TUNE, Folds, Mask
from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion, average_precision
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Encoder, Learner, OutOfFold, SavableScorer
from shopglot.curate.clean import CLEANING_VERSION
from shopglot.curate.corrections import correct
from shopglot.curate.prepare import prepare, prepare_for_judging
from shopglot.curate.taxonomy import read_taxonomy, taxonomy_version
from shopglot.demo.simulate import simulate
from shopglot.enrich.dropout import drop_translations
from shopglot.enrich.enrich import Translating, enrich
from shopglot.enrich.negatives import with_negatives
from shopglot.enrich.quality import translation_quality
from shopglot.enrich.readings import readings
from shopglot.enrich.translator import Translate
from shopglot.fold.audit import audit
from shopglot.fold.deal import deal
from shopglot.fold.describe import describe, tune_notes
from shopglot.fold.store import save_folds
from shopglot.format.settings import FormatSettings
from shopglot.format.template import Template
from shopglot.learn.encoders import frozen_encoder
from shopglot.learn.enriched import Enriched
from shopglot.learn.load import SCORERS, fits_at_once, make_learner, read_queries, trained_tasks
from shopglot.learn.pretrained import resolve
from shopglot.learn.search import Measured, Values, search
from shopglot.learn.settings import UNIVERSAL, LearnerSettings
from shopglot.learn.sweep_settings import SweepSettings
from shopglot.learn.validate import Validated, cross_validate, fit_once
from shopglot.merge.blend import Blend, Mean, MemberScores, load_scorer, score_members
from shopglot.merge.chain import cross_fitted, cross_fitted_choices, cross_fitted_unlabelled, fit_chain, redecide
from shopglot.merge.decide import Decided, Decision
from shopglot.pack.bundle import Bundle, Calibrated, load
from shopglot.pack.record import SCORES, begin_run, keep_checksums
from shopglot.report.card import Shipped, model_card
from shopglot.report.decisions import CrossFitted, decisions_report
from shopglot.report.kept import write_judged
from shopglot.report.mistakes import worst_mistakes
from shopglot.report.summary import OUT_OF_FOLD, Report, check_slices, summarise
from shopglot.report.sweep import Sweep, write_sweep
from shopglot.report.translation import TranslationReport, price_of_translation
from shopglot.report.write import write_report

log = logging.getLogger(__name__)
load_fitted = partial(load_scorer, loaders=SCORERS)


@dataclass(frozen=True, eq=False, slots=True)
class Data:
    """The pairs of a run, those made from them among the training pairs, and what is known of their files."""

    train: Pairs
    dev: Pairs
    taxonomy: tuple[str, ...]
    facts: dict[str, Any]
    translating: Translating | None = None


@dataclass(frozen=True, slots=True)
class Stages:
    """How long each stage of a run took, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Take the time of the block as the stage `name`."""
        log.info("%s …", name)
        start = perf_counter()
        yield
        self.seconds[name] = round(perf_counter() - start, 1)
        log.info("%s took %.1f s", name, self.seconds[name])


def run(recipe: Recipe, out: str | Path) -> Report:
    """Turn labelled files into a bundle, its report and everything that shows how they came about, in `out`.

    A run that was killed goes on where it was when it is started again with the same recipe and folder.
    """
    out, stages = Path(out), Stages()
    begin_run(recipe.to_yaml(), out)
    with stages.timed("curate"):
        data = gather(recipe, out)
        check_slices(recipe.report, data.train, data.dev)
        encoder = frozen_encoder(UNIVERSAL, "") if recipe.report.translation else None
    with stages.timed("enrich"):
        data = enriched(recipe, data)
    with stages.timed("fold"):
        folds = deal_folds(recipe, data.train, out)
    with stages.timed("learn"):
        validated = learn(recipe, data, folds, out)
    with stages.timed("merge"):
        bundle, evidence = merge(recipe, data, folds, validated, out)
        write_judged(evidence.judged, recipe.report.slices, out)
    with stages.timed("report"):
        report = report_on(recipe, data, folds, bundle, evidence)
    with stages.timed("pack"):
        bundle.save(out / "bundle", card=model_card(report, shipped_facts(recipe, data, folds, bundle)))
    if encoder is not None:
        with stages.timed("translation"):
            back = None if data.translating is None else data.translating.function
            weighed = weigh_translation(bundle, evidence.judged[1:], encoder, back, recipe)
            report = report.with_translation(weighed)
    report = report.with_facts(stages=stages.seconds)
    write_report(report, out)
    return report


def sweep(recipe: Recipe, out: Path) -> Sweep:
    """Try the values of the recipe's sweep on the same pairs and folds, and leave the best recipe in `out`.

    Only folds are read, never the tune and test parts. Started again after a kill, or with more trials, it goes on.
    """
    settings = checked_sweep(recipe)
    any_length = recipe.model_copy(update={"sweep": SweepSettings(space=settings.space)})
    begin_run(any_length.to_yaml(), out)
    data = enriched(recipe, gather(recipe, out))
    folds = deal_folds(recipe, data.train, out)
    measure = partial(_measure, recipe, data, folds, out)
    trials = search(settings.space, measure, out / "study.journal", settings.trials, recipe.seed)
    if not trials:
        raise RecipeError(f"sweep.space: none of {settings.trials} trials was possible; name values that go together")
    swept = Sweep(recipe.name, settings.space, tuple(trials), simulated=recipe.data.simulate is not None)
    with whole_file(out / "best.yaml") as part:
        part.write_text(trial_recipe(recipe, swept.best.values).to_yaml(), encoding="utf-8")
    write_sweep(swept, out)
    return swept


def gather(recipe: Recipe, out: Path) -> Data:
    """Return the run's pairs: simulated or read from files, cleaned, with the rejected rows in `out`."""
    train_files, dev_files, taxonomy_files = recipe.data.train, recipe.data.dev, recipe.data.taxonomy
    if (settings := recipe.data.simulate) is not None:
        made = simulate(out / "data", **settings.model_dump())
        train_files, dev_files = (tuple(made.files[f"{split}_{task}"] for task in TASKS) for split in ("train", "dev"))
        taxonomy_files = (made.taxonomy,)
    limit = recipe.max_bad_rows
    rejected = {split: out / f"quarantine-{split}.jsonl" for split in ("train", "dev")}
    train = prepare(train_files, recipe.curate, max_bad_rows=limit, quarantine=rejected["train"], labelled_only=True)
    pairs, corrections = correct(train.pairs, recipe.data.corrections)
    if corrections.get("reweighted"):
        _warn_of_weights(recipe)
    dev = prepare_for_judging(
        dev_files, recipe.curate, train.pairs.tasks, max_bad_rows=limit, quarantine=rejected["dev"]
    )
    taxonomy = read_taxonomy(taxonomy_files, recipe.curate)
    named = below_common((*train_files, *dev_files, *taxonomy_files))
    files = {name: sha256(file) for name, file in named.items()}
    if recipe.data.corrections:
        files |= {f"corrections/{name}": found for name, found in checksums(recipe.data.corrections).items()}
    keep_checksums(files, out / "files.json")
    counts = {"train": train.counts | corrections, "taxonomy paths": len(taxonomy)}
    counts |= {"dev": dev.counts} if dev_files else {}
    facts = {"simulated": recipe.data.simulate is not None, "files": files} | counts
    marks = {files[name] for name, file in named.items() if file in train_files}
    facts |= {"learned": [name for name, mark in files.items() if mark in marks]}
    return Data(pairs, dev.pairs, taxonomy, facts)


def enriched(recipe: Recipe, data: Data) -> Data:
    """Return the data with the translations and the made pairs that the recipe asks for."""
    settings = recipe.enrich
    translating = None if settings.translate is None else Translating.of(settings.translate, resolve)
    lower_case = recipe.curate.lower_case
    gained = enrich(data.train, data.dev, settings, translating, lower_case=lower_case, seed=recipe.seed)
    facts = data.facts | ({"enrich": gained.counts} if gained.counts else {})
    return replace(data, train=gained.train, dev=gained.dev, facts=facts, translating=translating)


def deal_folds(recipe: Recipe, pairs: Pairs, out: Path) -> Folds:
    """Deal the pairs into folds, look for leaks that the keys miss, and keep the folds in `out/folds`."""
    folds = deal(pairs, recipe.fold, recipe.seed)
    audit(pairs, folds, recipe.fold, recipe.seed).check()
    for note in tune_notes(pairs, folds):
        log.warning(note)
    save_folds(folds, out / "folds")
    return folds


def learn(recipe: Recipe, data: Data, folds: Folds, out: Path) -> dict[str, Validated]:
    """Cross-validate every learner of the recipe; models and their progress are kept in `out/models`."""
    validated = {}
    for settings in recipe.learn:
        validated[settings.name] = cross_validate(
            learner_of(recipe, settings, data),
            data.train.of_tasks(trained_tasks(settings)),
            folds,
            out / "models" / settings.name,
            load_fitted,
            at_once=fits_at_once(settings),
        )
    return validated


def learner_of(recipe: Recipe, settings: LearnerSettings, data: Data) -> Learner:
    """Return the learner of `settings`, with the negatives and the lost translations that the recipe asks for."""
    learner, enrich = make_learner(settings, template(recipe), data.taxonomy), recipe.enrich
    if enrich.translation_dropout:
        learner = Enriched(learner, partial(drop_translations, rate=enrich.translation_dropout, seed=recipe.seed))
    if enrich.negatives is not None:
        encoder = frozen_encoder(UNIVERSAL, "") if "embedding" in enrich.negatives.shares else None
        guard = None if enrich.guard is None else Calibrated(load(enrich.guard))
        change = partial(
            with_negatives,
            settings=enrich.negatives,
            seed=recipe.seed,
            taxonomy=data.taxonomy,
            encoder=encoder,
            scorer=guard,
        )
        learner = Enriched(learner, change)
    return learner


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """The shipped model as each kind of evidence judges it, and each learner alone on the evidence at the top.

    `cross_fitted` are the judgements out of fold with other thresholds too.
    """

    judged: list[Judged]
    learners: dict[str, Judged]
    cross_fitted: CrossFitted


def merge(
    recipe: Recipe, data: Data, folds: Folds, validated: Mapping[str, Validated], out: Path
) -> tuple[Bundle, Evidence]:
    """Blend the learners, calibrate what ships on `tune`, and judge it where nothing was learned."""
    scores = OutOfFold.concat([each.out_of_fold for each in validated.values()])
    with whole_file(out / SCORES) as part:
        scores.frame.write_parquet(part)
    chain = fit_chain(data.train, scores, recipe.merge)
    shipped = Blend(_members(recipe, data, folds, validated, out), chain.weights)
    tasks = {settings.name: settings.tasks for settings in recipe.learn}
    scored, rates = score_parts(shipped, data, folds, tasks), relevant_rates(data, shipped)
    decision, judged = decide_parts(shipped, scored, recipe, rates)
    learners = {
        name: alone
        for name, blend in _each_alone(shipped, tasks).items()
        for alone in decide_parts(blend, scored, recipe, rates)[1][-1:]
    }
    bundle = bundle_of(recipe, data, shipped, decision)
    inside = CrossFitted(
        cross_fitted_choices(data.train, scores, recipe.merge),
        cross_fitted_unlabelled(data.train, scores, recipe.merge),
    )
    return bundle, Evidence([inside.choices[recipe.merge.per], *judged], learners, inside)


def report_on(recipe: Recipe, data: Data, folds: Folds, bundle: Bundle, evidence: Evidence) -> Report:
    """Return the report of a run: its measures, its worst mistakes, and the facts of its data and folds."""
    learned_from = _learned_from(data, folds)
    measured = summarise(
        recipe.name,
        evidence.judged,
        evidence.learners,
        recipe.report,
        seed=recipe.seed,
        thresholds=bundle.decision.thresholds,
        learned=learned_from,
    )
    decided_by = None if measured.measured_on == OUT_OF_FOLD else bundle.decision
    if decided_by is None:  # there each fold has its own thresholds and its own training pairs
        learned_from = Pairs.concat([])
    (top,) = [judged for judged in evidence.judged if judged.name == measured.measured_on]
    mistakes = worst_mistakes(top, learned_from, recipe.report, decided_by)
    decisions = decisions_report(
        top, evidence.cross_fitted, bundle.decision, recipe.merge, recipe.report, seed=recipe.seed
    )
    facts = {"data": data.facts, "folds": describe(data.train, folds), "seed": recipe.seed}
    return measured.with_mistakes(mistakes).with_decisions(decisions).with_facts(**facts)


def weigh_translation(
    bundle: Bundle, judged: Sequence[Judged], encoder: Encoder, translate: Translate | None, recipe: Recipe
) -> TranslationReport | None:
    """Return what the bundle owes to translations on the last of `judged`; None where that has no translated pair.

    `judged` is what the bundle judged, and never what its fold models were trained on. `translate`, where there is a
    translator, leads the translations back to the language of their queries.
    """
    top = judged[-1] if judged else None
    if top is None or not (rows := top.pairs.translated).any():
        return None
    translated = top.pairs.filter(rows)
    read = {
        name: top if name == "both" else _reread(top, rows, bundle.score_clean(pairs))
        for name, pairs in readings(translated, recipe.seed).items()
    }
    quality = translation_quality(translated, encoder, translate, seed=recipe.seed)
    return price_of_translation(read, quality, recipe.report, recipe.seed)


def template(recipe: Recipe) -> Template:
    """Return how this recipe writes a pair as text."""
    return Template(recipe.format, CLEANING_VERSION)


def _learned_from(data: Data, folds: Folds) -> Pairs:
    """Return the pairs that some model of what ships learned from."""
    return data.train.filter(folds.trains(data.train, None))


def shipped_facts(recipe: Recipe, data: Data, folds: Folds, bundle: Bundle) -> Shipped:
    """Return what the model card says beside the report; where the files stood is nobody's business."""
    names = {
        part: tuple(Path(path.name) for path in getattr(recipe.data, part)) for part in ("train", "dev", "taxonomy")
    }
    shown = recipe.model_copy(update={"data": recipe.data.model_copy(update=names)})
    pairs = _learned_from(data, folds).filter(pl.col("made_from").is_null())
    languages = {task: pairs.of_task(task)["language"].drop_nulls().unique().sort() for task in bundle.decision.tasks}
    return Shipped(
        shown.to_yaml(),
        recipe.license,
        {task: codes.to_list() for task, codes in languages.items()},
        bundle.decision,
    )


def _warn_of_weights(recipe: Recipe) -> None:
    """Say which learners cannot give a row less weight than another."""
    for settings in recipe.learn:
        if settings.learner in ("encoder", "llm"):
            log.warning("%s counts every row alike, also those that were given another weight", settings.name)


def _members(
    recipe: Recipe, data: Data, folds: Folds, validated: Mapping[str, Validated], out: Path
) -> dict[str, SavableScorer]:
    """Return what ships of each learner: the average of its fold models, or one model refitted on all folds."""
    if recipe.merge.ship == "folds":
        return {settings.name: Mean(tuple(validated[settings.name].scorers.values())) for settings in recipe.learn}
    members = {}
    for settings in recipe.learn:
        learner = learner_of(recipe, settings, data)
        train = data.train.filter(folds.trains(data.train, None)).of_tasks(trained_tasks(settings))
        folder = out / "models" / settings.name / "refit"
        members[settings.name] = fit_once(learner, train, folder, load_fitted, "all folds")
    return members


def _formats(recipe: Recipe, weights: Mapping[Task, Mapping[str, float]]) -> dict[Task, FormatSettings]:
    """Return the recipe's format per task, with the texts of the query that all learners of the task read together."""
    formats = {}
    for task, own in weights.items():
        learners = [settings for settings in recipe.learn if own.get(settings.name, 0.0) > 0]
        texts = {text for settings in learners for text in read_queries(settings, template(recipe))}
        formats[task] = recipe.format.model_copy(update={"query": texts.pop() if len(texts) == 1 else "both"})
    return formats


def bundle_of(recipe: Recipe, data: Data, blend: Blend, decision: Decision) -> Bundle:
    """Return what ships: the blend with its decision, and what is known of where it comes from."""
    facts = {
        "name": recipe.name,
        "template": template(recipe).fingerprint,
        "data": data.facts["files"],
        "learned": data.facts["learned"],
        "languages": data.train["language"].drop_nulls().unique().sort().to_list(),
        "taxonomy": taxonomy_version(data.taxonomy),
    }
    return Bundle(blend, decision, recipe.curate, facts, _formats(recipe, blend.weights))


def score_parts(
    blend: Blend, data: Data, folds: Folds, tasks: Mapping[str, tuple[Task, ...]]
) -> dict[str, MemberScores]:
    """Return what each member says of the parts that nothing learned from: tune, test and dev, as far as there are."""
    tune, test = (data.train.filter(folds.judges(data.train, part)) for part in (TUNE, TEST))
    parts, scored = {"tune": tune, "test": test, "dev": data.dev.labelled}, {}
    for name, each in parts.items():
        pairs = each.of_tasks(blend.weights)
        if len(pairs):
            log.info("scoring the %d pairs of %s", len(pairs), name)
            scored[name] = score_members(blend, pairs, tasks)
    return scored


def relevant_rates(data: Data, blend: Blend) -> dict[Task, float]:
    """Return the share of relevant pairs in the data, per task of the blend."""
    given = data.train.filter(pl.col("made_from").is_null())
    return {task: float(given.of_task(task).labels.mean()) for task in blend.weights}


def _each_alone(shipped: Blend, tasks: Mapping[str, tuple[Task, ...]]) -> dict[str, Blend]:
    """Return each learner as a blend of its own, so that the report can say what the others add to it."""
    return {name: Blend({name: shipped.scorers[name]}, {task: {name: 1.0} for task in tasks[name]}) for name in tasks}


def decide_parts(
    blend: Blend, scored: Mapping[str, MemberScores], recipe: Recipe, rates: Mapping[Task, float]
) -> tuple[Decision, list[Judged]]:
    """Return the blend's own calibration and thresholds, chosen on `tune`, and how it judges the other parts."""
    decision = redecide(*scored["tune"].blended(blend), recipe.merge, rates)
    judged = []
    for name in [name for name in scored if name != "tune"]:
        pairs, scores = scored[name].blended(blend)
        decided = decision.decide(pairs, scores)
        judged.append(Judged(name, pairs, decided.probability, decided.decision))
    return decision, judged


def _reread(top: Judged, rows: Mask, decided: Decided) -> Judged:
    """Return the judgement with some of its rows decided anew."""
    probability, decision = top.probability.copy(), top.decision.copy()
    probability[rows], decision[rows] = decided.probability, decided.decision
    return replace(top, probability=probability, decision=decision)


def _measure(recipe: Recipe, data: Data, folds: Folds, out: Path, values: Values) -> Measured | None:
    """Return how well the blend with these values judges out of fold, or None where they do not go together."""
    try:
        tried = trial_recipe(recipe, values)
    except RecipeError as reason:
        log.warning("left out: %s", reason)
        return None
    start = perf_counter()
    alone = [tried.model_copy(update={"learn": (settings,)}) for settings in tried.learn]
    scores = OutOfFold.concat([_scores_once(each, data, folds, out) for each in alone])
    judged = cross_fitted(data.train, scores, tried.merge)
    tasks = {task: judged.where((judged.pairs["task"] == task).to_numpy()) for task in judged.pairs.tasks}
    return Measured(
        pr_auc={task: average_precision(own.pairs.labels, own.probability) for task, own in tasks.items()},
        f1={task: Confusion.of(own.pairs.labels, own.decision).f1 for task, own in tasks.items()},
        seconds=round(perf_counter() - start, 1),
    )


def _scores_once(alone: Recipe, data: Data, folds: Folds, out: Path) -> OutOfFold:
    """Return the out-of-fold scores of a recipe's one learner; trials that share it fit it once."""
    text = alone.model_dump_json(include={"format", "learn"})
    name = f"{alone.learn[0].name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    work, kept = out / "fitting" / name, out / "scores" / f"{name}.parquet"
    if not kept.is_file():
        (validated,) = learn(alone, data, folds, work).values()
        with whole_file(kept) as part:
            validated.out_of_fold.frame.write_parquet(part)
    rmtree(work, ignore_errors=True)
    return OutOfFold(pl.read_parquet(kept))
