"""What the other commands do, each as one short function."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from shopglot.config import Recipe, load_recipe
from shopglot.core.errors import DataError, RecipeError
from shopglot.core.files import named_where_there_is_no_room, require_own_folder, sha256, write_json
from shopglot.core.folds import TEST, TUNE
from shopglot.core.pair import TASKS, Pair, Task
from shopglot.core.pairs import Pairs
from shopglot.curate.clean import clean
from shopglot.curate.corrections import reviewed
from shopglot.curate.language import correct_languages
from shopglot.curate.prepare import prepare_for_scoring
from shopglot.curate.read import read_pairs
from shopglot.curate.settings import CurateSettings
from shopglot.curate.taxonomy import read_taxonomy
from shopglot.demo.simulate import is_simulated, read_truth, simulate, sizes
from shopglot.enrich.enrich import Translating
from shopglot.enrich.load_translator import open_cache, translator_name
from shopglot.enrich.protected import Protected
from shopglot.enrich.translate import count_new, query_texts
from shopglot.enrich.translate_settings import TranslateSettings
from shopglot.fold.settings import FoldSettings
from shopglot.fold.split import leaks, read_split
from shopglot.fold.store import load_folds
from shopglot.learn.gpus import Gpu
from shopglot.learn.llm_settings import LLMSettings
from shopglot.learn.load import trained_tasks
from shopglot.learn.plan import Plan, plan
from shopglot.learn.pretrained import resolve
from shopglot.learn.token_counts import token_counts
from shopglot.learn.workload import Workload
from shopglot.merge.chain import cross_fitted, redecide
from shopglot.merge.settings import MergeSettings
from shopglot.pack.bench import Bench, bench
from shopglot.pack.bundle import Bundle, Calibrated, learned_from, load
from shopglot.pack.convert import Packer
from shopglot.pack.parity import Parity
from shopglot.pack.record import read_scores, require_finished
from shopglot.pack.scored import check_out, read_scored, write_translated
from shopglot.pack.settings import PackSettings
from shopglot.pipeline import Stages, enriched, gather
from shopglot.report.attribution import Attribution, attribute
from shopglot.report.audit import Known, LabelAudit, audit_labels, known
from shopglot.report.compare import Comparison, compare_sides
from shopglot.report.compare_page import MARK, write_comparison
from shopglot.report.exploration import Exploration
from shopglot.report.explore import distinct_texts, explore_pairs
from shopglot.report.explore_origin import Origin, set_aside
from shopglot.report.explore_page import check_exploration, write_exploration
from shopglot.report.gate import Gate
from shopglot.report.kept import read_side
from shopglot.report.review import check_review, write_review
from shopglot.report.settings import ReportSettings
from shopglot.report.summary import Report, check_slices, summarise
from shopglot.serve.cascade.budget import Budget, Wanted, budget_of
from shopglot.serve.cascade.budget_files import MARK as BUDGET_MARK
from shopglot.serve.cascade.budget_files import write_budget
from shopglot.serve.cascade.deciders import load_decider
from shopglot.serve.cascade.stage_cost import Repetition, measure
from shopglot.serve.files.settings import ClusterSettings, EngineSettings
from shopglot.serve.files.stream import Scoring, begun, score_chunks, survey_files
from shopglot.serve.http.settings import HttpSettings
from shopglot.serve.machines.cluster import connected
from shopglot.serve.machines.sharded import score_in_shards
from shopglot.serve.machines.units import parquet_files
from shopglot.serve.machines.worker import Job

_JUDGING: Final = 5_000
"""How many labelled pairs are scored by every stage to choose between routings."""
_LISTED: Final = 0.05
"""Which share of the demo's labels is listed for review."""


def score_files(
    bundle: str | Path,
    files: Sequence[str | Path],
    out: str | Path,
    *,
    taxonomy: Sequence[str | Path] = (),
    max_bad_rows: float = 1.0,
    part_mb: float = 8.0,
) -> dict[str, int]:
    """Score every row of `files` that can be read, and return what happened to how many rows.

    `out` holds the input's columns as they were, followed by `score`, `prediction`, `threshold`, `read` and `flag`, in
    the input's order; rows that are no pairs stand in a file beside it. The model knows the category paths of its
    bundle, those in `taxonomy` and those that the files' own rows name. `bundle` may be the routing file of a cascade.

    Files may have any size: about `part_mb` megabytes of text are scored at a time, each distinct pair once, and a call
    that was killed goes on after the last such part when it is made again.
    """
    stages = Stages()
    settings = EngineSettings(chunk_bytes=round(part_mb * 2**20))
    scoring = Scoring(tuple(map(Path, files)), Path(out), tuple(map(Path, taxonomy)), max_bad_rows, settings)
    scoring.check()
    with stages.timed("load"):
        model = load_decider(bundle)
    with begun(scoring, Path(bundle)) as journal:
        with stages.timed("curate"):
            found = survey_files(scoring, model, journal)
        with stages.timed("score"):
            return score_chunks(scoring, model, found, journal)


def score_on_cluster(
    bundle: str | Path,
    files: Sequence[str | Path],
    out: str | Path,
    *,
    taxonomy: Sequence[str | Path] = (),
    max_bad_rows: float = 1.0,
    cluster: ClusterSettings | None = None,
) -> dict[str, int]:
    """Score the rows of Parquet files, or of folders of them, with Ray, and return what happened to how many rows.

    `out` becomes a folder of shards, whose rows are those that `score_files` writes, with a manifest that lists them in
    the order of the rows once all are there. All machines of the cluster must see all paths. A call that was stopped
    goes on from the shards that are whole when it is made again.
    """
    cluster = cluster or ClusterSettings()
    job = Job(
        model=Path(bundle).absolute(),
        files=parquet_files([Path(file) for file in files]),
        out=Path(out).absolute(),
        taxonomy=tuple(Path(path).absolute() for path in taxonomy),
        max_bad_rows=max_bad_rows,
        settings=EngineSettings(chunk_bytes=round(cluster.part_mb * 2**20)),
    )
    return score_in_shards(job, connected(cluster))


def plan_cascade(
    bundles: Sequence[str | Path],
    files: Sequence[str | Path],
    out: str | Path,
    wanted: Wanted,
    *,
    like: Sequence[str | Path] = (),
    taxonomy: Sequence[str | Path] = (),
) -> Budget:
    """Measure what the bundles cost on this machine and how well every routing decides, and write it into `out`.

    `files` hold labelled pairs that no bundle learned from, of which 5,000 are scored, and `like` pairs that
    repeat themselves as those to be scored will; without them, `files` do. `out` gets `routing.json`, which `score`
    and `serve` read like a bundle, and the frontier as `frontier.json` and `frontier.svg`.
    """
    out, folders = Path(out), [Path(bundle) for bundle in bundles]
    require_own_folder(out, BUDGET_MARK)
    _require_unseen(folders, [Path(file) for file in files])
    first = load(folders[0])
    read = prepare_for_scoring([Path(file) for file in files], first.curate).pairs
    repeating = prepare_for_scoring([Path(file) for file in like], first.curate).pairs if like else read
    labelled = read.labelled.filter(read.labelled.readable)
    if not len(labelled):
        raise DataError(f"{files[0]} has no labelled pairs; give some that none of the bundles learned from")
    judging = Pairs(labelled.frame.sample(min(_JUDGING, len(labelled)), shuffle=True, seed=0))
    known = (*read_taxonomy([Path(file) for file in taxonomy], first.curate), *read.of_task("QC")["target"].unique())
    measured = [measure(folder, judging, known) for folder in folders]
    budget = budget_of(judging, measured, Repetition.of(repeating), wanted)
    write_budget(budget, out)
    return budget


def _require_unseen(bundles: Sequence[Path], files: Sequence[Path]) -> None:
    """Raise DataError where a bundle learned the labels of one of the files: it would judge itself too well."""
    marks = {sha256(file): file for file in files if file.is_file()}
    for bundle in bundles:
        if seen := learned_from(bundle) & marks.keys():
            raise DataError(
                f"{bundle} learned from {marks[min(seen)]}; give pairs that none of the bundles learned from"
            )


@dataclass(frozen=True, eq=False, slots=True)
class Material:
    """What packing takes from a run's files: pairs to trim and calibrate by, to decide by, and to judge by.

    `tune` is None where the decision stays as it is; `rates` are the shares of relevant pairs in the data.
    """

    texts: Pairs
    judged: Pairs
    tune: Pairs | None = None
    rates: Mapping[Task, float] = field(default_factory=dict)
    merge: MergeSettings = field(default_factory=MergeSettings)


def pack_run(
    run: str | Path, out: str | Path, settings: PackSettings, *, files: Sequence[str | Path] = ()
) -> tuple[Parity, int]:
    """Write the bundle of a finished run as a small and fast one into `out`; return its parity and its size in bytes.

    It is trimmed for the run's pairs, decides anew by its own scores of the tune part, and is written only where it
    decides as before on the test and dev parts. With `files` of pairs, `run` may be a bundle alone; they stand for all
    parts, and the decision stays as it is. Raises BundleError where the parity is over the limits of `settings`.
    """
    run, out = Path(run), Path(out)
    require_own_folder(out, "manifest.json")
    folder = run / "bundle" if (run / "bundle").is_dir() else run
    source = load(folder)
    material = _given(files, source) if files else _of_run(run)
    judged = material.judged.of_tasks(source.decision.tasks)
    if not len(judged):
        raise RecipeError(f"{run} has neither a test part nor dev files to judge the packed model by; give --pairs")
    with named_where_there_is_no_room(out), TemporaryDirectory(prefix=out.name, dir=_made(out.parent)) as work:
        packed = _packed(source, material, settings, Path(work))
        parity = parity_of(source, packed, judged)
        parity.check(max_flips=settings.max_flips, max_f1_change=settings.max_f1_change)
        facts = {"settings": settings.model_dump(), "decided_anew": material.tune is not None, "parity": parity.facts}
        card = folder / "README.md"
        replace(packed, facts={**source.facts, "packed": facts}).save(
            out, card=card.read_text(encoding="utf-8") if card.is_file() else None
        )
    return parity, sum(path.stat().st_size for path in out.rglob("*") if path.is_file())


def compare_bundles(base: str | Path, new: str | Path, files: Sequence[str | Path]) -> Parity:
    """Return how far two bundles of one model are from deciding alike on the pairs of `files`."""
    first = load(base)
    return parity_of(first, load(new), _given(files, first).judged.of_tasks(first.decision.tasks))


def parity_of(base: Bundle, new: Bundle, pairs: Pairs) -> Parity:
    """Return the parity of two bundles on clean pairs, whose category paths both then know."""
    paths = pairs.filter(pairs.readable).of_task("QC")["target"].unique().to_list()
    decided = [bundle.knowing(paths).score_clean(pairs) for bundle in (base, new)]
    return Parity.of(pairs, *decided)


def bench_bundle(
    bundle: str | Path,
    files: Sequence[str | Path] = (),
    *,
    pairs: int = 2_000,
    candidates: int = 50,
    requests: int = 200,
    out: str | Path | None = None,
) -> Bench:
    """Measure a bundle on this machine, on at most `pairs` of `files` or on simulated ones, and write it to `out`."""

    def drawn(loaded: Bundle) -> Pairs:
        if files:
            own = _given(files, loaded).texts
        else:
            with TemporaryDirectory() as folder:
                made = simulate(Path(folder), pairs=max(100, 4 * pairs), seed=0).files.values()
                own = _given(list(made), loaded).texts
        own = own.of_tasks(loaded.decision.tasks)
        return Pairs(own.frame.sample(min(len(own), 2 * pairs), seed=0))

    measured = bench(Path(bundle), drawn, candidates=candidates, requests=requests, seed=0)
    if out is not None:
        write_json(Path(out), measured.facts)
    return measured


def _packed(source: Bundle, material: Material, settings: PackSettings, work: Path) -> Bundle:
    """Return the bundle over packed networks in `work`, deciding anew where there is a tune part to decide by."""
    scorer = Packer(material.texts, settings, work).packed(source.scorer)
    if material.tune is None:
        return replace(source, scorer=scorer)
    tune = material.tune.of_tasks(source.decision.tasks)
    return replace(source, scorer=scorer, decision=redecide(tune, scorer.score(tune), material.merge, material.rates))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _given(files: Sequence[str | Path], bundle: Bundle) -> Material:
    pairs = prepare_for_scoring([Path(file) for file in files], bundle.curate).pairs
    return Material(pairs, pairs)


def _of_run(run: Path) -> Material:
    require_finished(run)
    recipe = load_recipe(run / "recipe.yaml")
    data, folds = enriched(recipe, gather(recipe, run)), load_folds(run / "folds")
    tune, test = (data.train.filter(folds.judges(data.train, part)) for part in (TUNE, TEST))
    given = data.train.filter(pl.col("made_from").is_null())
    rates = {task: float(given.of_task(task).labels.mean()) for task in given.tasks}
    judged = Pairs.concat([test, data.dev.labelled])
    return Material(Pairs.concat([data.train, data.dev]), judged, tune, rates, recipe.merge)


def translate_files(
    files: Sequence[str | Path],
    settings: TranslateSettings,
    out: str | Path,
    *,
    dry_run: bool = False,
    max_bad_rows: float = 1.0,
) -> dict[str, int]:
    """Translate the queries of `files` that have no translation, and return what happened to how many.

    `out` holds the input's columns as they were with `translated_query`, in the input's order; rows that are no pairs
    stand in a file beside it. A dry run only counts: it loads no weights and writes nothing.
    """
    out, stages = Path(out), Stages()
    given = [Path(file) for file in files]
    rejected = out.with_name(f"{out.stem}.quarantine.jsonl")
    check_out(out, rejected, given)
    if settings.target != "en":
        raise RecipeError(f"a translated query is English; leave `target: {settings.target}` out")
    with stages.timed("curate"):
        quarantine = None if dry_run else rejected
        read = prepare_for_scoring(given, CurateSettings(), max_bad_rows=max_bad_rows, quarantine=quarantine)
    if dry_run:
        texts = query_texts(read.pairs, settings.target).filter(read.pairs["english"].is_null())
        name, cache = translator_name(settings, resolve), open_cache(settings)
        return read.counts | count_new(texts, name, cache, Protected.of(settings))
    with stages.timed("translate"):
        filled, made = Translating.of(settings, resolve).missing(read.pairs)
        write_translated(read.pairs, filled, out)
    return read.counts | made.counts


def evaluate_file(scored: str | Path, slices: Sequence[str] = ()) -> Report:
    """Return the report of a scored file that has labels, with the values of the columns `slices` apart."""
    path, settings = Path(scored), ReportSettings(slices=tuple(slices))
    judged, thresholds = read_scored(path)
    check_slices(settings, judged.pairs)
    return summarise(path.name, [judged], {}, settings, seed=0, thresholds=thresholds)


def compare(
    runs: Sequence[str | Path], out: str | Path, *, gates: Sequence[str] = (), on: str | None = None
) -> Comparison:
    """Hold each later run or scored file against the first, pair by pair, and write what changed into `out`.

    `gates` are sentences such as "no language worse than -0.005 at 95%", and `on` names the evidence.
    """
    out, checked = Path(out), [Gate.parse(text) for text in gates]
    require_own_folder(out, MARK)
    comparison = compare_sides([read_side(Path(run)) for run in runs], checked, on)
    write_comparison(comparison, out)
    return comparison


@dataclass(frozen=True, eq=False, slots=True)
class Audited:
    """The labels of a finished run's training pairs, and how many suspects were `listed` for review.

    `known` is how well the list does, for a run on simulated pairs, whose true labels are known.
    """

    name: str
    labels: LabelAudit
    listed: int
    known: Known | None


def audit_run(folder: str | Path, out: str | Path, *, budget: float) -> Audited:
    """Write the suspects among the labels of a finished run into the review file `out`, as many as `budget` says.

    `budget` is a share of the audited pairs. Raises DataError where the run is unfinished, its files or scores are not
    those it was made from, or `out` holds anything else.
    """
    folder, out = Path(folder), Path(out)
    check_review(out)
    require_finished(folder)
    recipe = load_recipe(folder / "recipe.yaml")
    pairs = enriched(recipe, gather(recipe, folder)).train.filter(pl.col("made_from").is_null())
    tasks = {settings.name: settings.tasks for settings in recipe.learn}
    scores = read_scores(folder, pairs, load_folds(folder / "folds"), tasks)
    labels = audit_labels(pairs, cross_fitted(pairs, scores, recipe.merge), reviewed(recipe.data.corrections))
    listed = labels.within(budget)
    write_review(listed, out)
    truth = read_truth(folder / "data") if recipe.data.simulate is not None else None
    return Audited(recipe.name, labels, listed.height, None if truth is None else known(labels, listed, pairs, truth))


def review_file_of(folder: str | Path, out: str | Path, *, budget: float) -> Path:
    """Return the review file `out` of a finished run, which an audit writes where nobody has begun with it yet."""
    out = Path(out)
    if not out.exists():
        audit_run(folder, out, budget=budget)
    return out


def audit_split(files: Sequence[str | Path], split: str | Path, *, category_levels: int = 2) -> pl.DataFrame:
    """Return what leaks through the split file of these pairs: one row per task and key, as `fold.split.leaks` says."""
    settings = CurateSettings()
    pairs = clean(read_pairs([Path(file) for file in files], settings, training=False).pairs, settings)
    return leaks(pairs, read_split(Path(split), pairs), FoldSettings(category_levels=category_levels), seed=0)


def serve_demo(run: str | Path, *, port: int, begun: Callable[[str], None]) -> None:
    """Serve the demo's run with its tree, report and suspected labels, on this machine alone, until told to end.

    Raises DataError where the run is not there, and RecipeError where the port is taken.
    """
    from shopglot.serve.http.run import Given, serve

    run = Path(run)
    if not (run / "bundle" / "manifest.json").is_file():
        raise DataError(f"there is no finished demo in {run}; make it with `make demo`, which takes some minutes")
    review = review_file_of(run, run / "review.csv", budget=_LISTED)
    given = Given(taxonomy=[run / "data" / "taxonomy.txt"], run=run, review=review)
    serve(run / "bundle", given, HttpSettings(), host="127.0.0.1", port=port, begun=begun)


def explain(bundle: str | Path, pair: Pair) -> tuple[Attribution, float]:
    """Return how much each word of a pair counts for its probability, and the threshold of its task.

    The model knows the category path of the pair beside those of its bundle.
    """
    model = load(bundle)
    own = clean(Pairs.of([pair]), model.curate)
    paths = own.filter(own.readable).of_task("QC")["target"]
    attribution = attribute(Calibrated(model.knowing(paths)), pair)
    return attribution, model.decision.thresholds[pair.task]


def explore(
    files: Sequence[str | Path],
    out: str | Path,
    *,
    against: Sequence[str | Path] = (),
    tokenizer: str | None = None,
    correct_language: bool = True,
) -> Exploration:
    """Say what files of pairs hold, in the page `explore.html` and in `explore.json`, and return the same.

    Labels need not be there. `against` are other files, such as the training files of a dev file: what each side holds
    and the other lacks is counted. `tokenizer` is a model whose tokens are counted. With `correct_language`, queries
    in another language than their file says are counted, and every figure goes by the corrected language.
    """
    out, given, others = Path(out), [Path(file) for file in files], [Path(file) for file in against]
    check_exploration(out, (*given, *others))
    settings = CurateSettings(correct_language=correct_language)
    read = prepare_for_scoring(given, settings.model_copy(update={"correct_language": False}))
    pairs = correct_languages(read.pairs, settings)
    known = prepare_for_scoring(others, settings).pairs if others else None
    tokens = None if tokenizer is None else token_counts(distinct_texts(pairs), tokenizer)
    origin = Origin(
        files=tuple(map(str, given)),
        against=tuple(map(str, others)),
        rows=read.counts["rows"],
        left_out=set_aside(read.quarantine),
        corrected=correct_language,
        tokenizer=tokenizer,
        simulated=any(map(is_simulated, given)),
    )
    found = explore_pairs(pairs, read.pairs["language"], origin, against=known, tokens=tokens)
    write_exploration(found, out)
    return found


def plan_learners(
    recipe: Recipe, gpu: Gpu, *, pairs: int | None = None, tokens: int | None = None, longest: int | None = None
) -> dict[str, Plan]:
    """Return what each fine-tuned language model of the recipe will take on devices like `gpu`.

    `pairs` is how many labelled pairs there are, for files that are elsewhere; None: they are counted. `tokens` is
    the mean length of a pair, `longest` that of the longest; None: as long as the model reads.
    """
    work = _workload(recipe, pairs, tokens)
    planned = [settings for settings in recipe.learn if isinstance(settings, LLMSettings)]
    cut = {each.name: min(each.max_tokens, longest or each.max_tokens) for each in planned}
    return {each.name: plan(each.model_copy(update={"max_tokens": cut[each.name]}), work, gpu) for each in planned}


def _workload(recipe: Recipe, pairs: int | None, tokens: int | None) -> Workload:
    files = (recipe.data.train, recipe.data.dev)
    if pairs is not None:
        tasks = {task for settings in recipe.learn for task in trained_tasks(settings)}
        train, dev = dict.fromkeys(tasks, pairs // len(tasks)), {}
    elif recipe.data.simulate is not None:
        rows = sizes(recipe.data.simulate.pairs)
        train, dev = ({task: rows[task, split] for task in TASKS} for split in ("train", "dev"))
    elif absent := [path for path in (*files[0], *files[1]) if not path.exists()]:
        raise RecipeError(f"the pairs cannot be counted, for {absent[0]} is not here; say with --pairs how many")
    else:
        train, dev = (_counted(paths, recipe) for paths in files)
    return Workload(train, dev, recipe.fold, refit=recipe.merge.ship == "refit", tokens=tokens)


def _counted(paths: Sequence[Path], recipe: Recipe) -> dict[Task, int]:
    """Return how many labelled pairs of each task stand in files."""
    pairs = read_pairs(paths, recipe.curate, training=False).pairs.labelled if paths else Pairs.concat([])
    return {task: len(pairs.of_task(task)) for task in TASKS}
