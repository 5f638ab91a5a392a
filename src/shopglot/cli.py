"""One command per verb: parse, call one function, print."""

import logging
import os
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.logging import RichHandler

from shopglot import __version__
from shopglot.core.errors import DataError, RecipeError, ShopglotError
from shopglot.core.pair import Pair, Task
from shopglot.enrich.translate_settings import Quantization
from shopglot.learn.gpus import GPUS, gpu_named
from shopglot.pack.engines import Precision

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
output = Console(markup=False, highlight=False, soft_wrap=True)  # paths come out as they are, in one line
problems = Console(stderr=True)

Evidence = Literal["dev", "test", "out-of-fold"]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Put another value into the recipe; may be given again.")
]
Tasks = Annotated[
    list[Path], typer.Option("--tasks", help="A task file to answer; may be given again.", show_default=False)
]
Out = Annotated[Path, typer.Option("--out", help="Where the result is written.", show_default=False)]


def main() -> None:
    """Run the command line; what a person can mend is one sentence and exit code 2."""
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=problems, show_path=False)]
    )
    logging.getLogger("shopglot").setLevel(logging.INFO)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    # DeepSpeed sets its own level when accelerate imports it, so only a filter keeps its warnings out of the results.
    logging.getLogger("DeepSpeed").addFilter(lambda record: record.levelno > logging.WARNING)
    try:
        app()
    except ShopglotError as error:
        _end(str(error))
    except OSError as error:
        named = f"{error.filename2 or error.filename}: {error.strerror}" if error.filename else str(error)
        _end(f"a file cannot be read or written: {named}; mend that, or name another place")


def _end(sentence: str) -> NoReturn:
    problems.print("[bold red]error:[/]", end=" ")
    problems.print(sentence, markup=False, highlight=False, soft_wrap=True)
    raise SystemExit(2) from None


def _show_version(asked: bool) -> None:
    if asked:
        output.print(f"shopglot {__version__}")
        raise typer.Exit


@app.callback()
def _shopglot(
    version: Annotated[
        bool, typer.Option("--version", help="Show it and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Search relevance for shops that sell in many languages."""


@app.command()
def simulate(
    out: Out,
    pairs: Annotated[int, typer.Option(help="Pairs in all files together.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    label_noise: Annotated[float, typer.Option(help="The share of labels that are flipped.")] = 0.0,
) -> None:
    """Write a simulated marketplace in the competition's file format.

    Example: `shopglot simulate --out data/simulated --pairs 100000 --seed 7 --label-noise 0.05`
    """
    from shopglot.demo.simulate import simulate as write_simulated

    made = write_simulated(out, pairs=pairs, seed=seed, label_noise=label_noise)
    for name, rows in made.rows.items():
        output.print(f"{made.files[name]}: {rows:,} simulated pairs")
    output.print(f"{made.truth}: what each pair means, and its label before noise")


@app.command()
def bootstrap(
    out: Out,
    *,
    taxonomy: Annotated[
        Path | None, typer.Option(help="A folder with a file of category paths for each language.")
    ] = None,
    catalogue: Annotated[Path | None, typer.Option(help="A file of items, for query-item pairs.")] = None,
    dev_languages: Annotated[
        str | None, typer.Option(help="Languages that dev alone shows, with commas between them.")
    ] = None,
    pairs: Annotated[int | None, typer.Option(help="About how many pairs each file has at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same files and seed give the same bytes.")] = None,
    settings: Annotated[Path | None, typer.Option(help="A YAML file of other settings.")] = None,
) -> None:
    """Make weakly labelled pairs for a shop that has no labels, from category names in its languages and its items.

    Example: `shopglot bootstrap --taxonomy product-taxonomy/dist --out data/weak --dev-languages de,it --pairs 50000`
    """
    from shopglot.enrich.bootstrap_files import load_settings, write_bootstrap
    from shopglot.learn.encoders import frozen_encoder
    from shopglot.learn.settings import UNIVERSAL

    held_out = None if dev_languages is None else tuple(dev_languages.split(","))
    read = load_settings(settings, dev_languages=held_out, pairs=pairs, seed=seed)
    encoder = frozen_encoder(UNIVERSAL, "") if "embedding" in read.negatives.shares else None
    for file, rows in write_bootstrap(out, read, taxonomy=taxonomy, catalogue=catalogue, encoder=encoder).items():
        output.print(f"{file}: {rows:,} weakly labelled pairs")
    output.print(f"{out / 'taxonomy.txt'}: the categories\n{out / 'bootstrap.json'}: what the labels are made of")


@app.command()
def explore(
    files: Annotated[list[Path], typer.Argument(help="Files of pairs in any format that `run` reads.")],
    out: Out,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Another file, to count what either side lacks; may be given again."),
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="A model whose tokens are counted: embedded, a folder or a hub name.")
    ] = None,
    correct_language: Annotated[
        bool, typer.Option(help="Whether queries in another language than their file says are looked for.")
    ] = True,
) -> None:
    """Show what files of pairs hold, with labels or without, before anything is learned from them.

    Example: `shopglot explore data/train_QC.txt --out runs/explore --against data/dev_QC.txt`
    """
    from shopglot.jobs import explore as explore_files
    from shopglot.report.explore_page import JSON_NAME, PAGE_NAME

    found = explore_files(files, out, against=against or (), tokenizer=tokenizer, correct_language=correct_language)
    for task, each in found.tasks.items():
        output.print(f"{task}: {each.pairs:,} pairs, {each.queries.distinct:,} queries, {each.targets:,} targets")
    output.print(f"page: {out / PAGE_NAME}\nfigures: {out / JSON_NAME}")


@app.command()
def run(
    recipe: Annotated[Path, typer.Argument(help="A YAML file, such as recipes/demo.yaml.")],
    out: Out,
    overrides: Overrides = None,
    max_bad_rows: Annotated[
        float | None, typer.Option(min=0, max=1, help="The share of unreadable rows that stops the run.")
    ] = None,
) -> None:
    """Learn from labelled files: folds, models, thresholds, an honest report and a bundle that scores.

    A run that was killed goes on where it was when it is started again.

    Example: `shopglot run recipes/shopify-qc.yaml --out runs/shopify --set seed=3 --set learn.1.networks=5`
    """
    from shopglot.config import load_recipe
    from shopglot.pipeline import run as run_recipe
    from shopglot.report.table import console_table

    given = (*(overrides or ()), *(() if max_bad_rows is None else (f"max_bad_rows={max_bad_rows}",)))
    report = run_recipe(load_recipe(recipe, given), out)
    output.print(console_table(report))
    output.print(f"report: {out / 'report.html'}\nbundle: {out / 'bundle'}")


@app.command()
def plan(
    recipe: Annotated[Path, typer.Argument(help="A YAML file with learners of the kind `llm`.")],
    gpu: Annotated[str, typer.Option(help=f"What it would run on: {', '.join(GPUS)}.")] = "a100-80gb",
    pairs: Annotated[
        int | None, typer.Option(min=1, help="Labelled pairs of all tasks, where the files are not here to be counted.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(min=1, help="The mean tokens of a pair; without it, `max_tokens` of the recipe.")
    ] = None,
    longest: Annotated[
        int | None, typer.Option(min=1, help="The tokens of the longest pair; without it, `max_tokens` of the recipe.")
    ] = None,
    overrides: Overrides = None,
) -> None:
    """Say what fine-tuning will take, before anything is loaded: parameters, memory, steps, tokens and time.

    Memory is that of a batch of the longest pairs on each device. What cannot fit ends with exit code 2 and what would
    help.

    Example: `shopglot plan recipes/winner.yaml --gpu a100-80gb --pairs 640000 --tokens 60 --longest 512`
    """
    from shopglot.config import load_recipe
    from shopglot.jobs import plan_learners
    from shopglot.report.planned import plan_table

    read = load_recipe(recipe, tuple(overrides or ()))
    plans = plan_learners(read, gpu_named(gpu), pairs=pairs, tokens=tokens, longest=longest)
    if plans:
        output.print(plan_table(plans, f"{read.name} on {gpu}"))
    for settings in read.learn:
        if settings.name not in plans:
            output.print(f"{settings.name}: not planned, for only learners of the kind `llm` are")
    if reasons := [each.problem for each in plans.values() if each.problem]:
        raise RecipeError("; ".join(reasons))


@app.command()
def sweep(
    recipe: Annotated[Path, typer.Argument(help="A YAML file with a part `sweep`, such as recipes/sweep-demo.yaml.")],
    out: Out,
    trials: Annotated[int | None, typer.Option(help="Trials in all, in place of the recipe's number.")] = None,
    overrides: Overrides = None,
) -> None:
    """Search for the values of recipe fields that judge best out of fold, with Optuna.

    A sweep that was killed goes on where it was when it is started again, and so does a finished one with more trials.

    Example: `shopglot sweep recipes/sweep-demo.yaml --out runs/sweep --trials 30`
    """
    from shopglot.config import load_recipe
    from shopglot.pipeline import sweep as sweep_recipe
    from shopglot.report.sweep import console_sweep

    given = (*(overrides or ()), *(() if trials is None else (f"sweep.trials={trials}",)))
    output.print(console_sweep(sweep_recipe(load_recipe(recipe, given), out)))
    output.print(f"page: {out / 'sweep.html'}\nbest recipe: {out / 'best.yaml'}")


@app.command()
def distill(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run, which teaches.")],
    out: Out,
    student: Annotated[
        Path | None,
        typer.Argument(help="A YAML file of a student; without it, frozen sentence vectors and one small head."),
    ] = None,
    unlabelled: Annotated[
        list[Path] | None, typer.Option(help="A file of pairs for the teacher to judge; may be given again.")
    ] = None,
    overrides: Overrides = None,
) -> None:
    """Teach a smaller model what a finished run knows: a bundle of its own, and a report beside its teacher.

    A distillation that was killed goes on where it was when it is started again.

    Example: `shopglot distill runs/demo recipes/students/e5-half.yaml --out runs/small --unlabelled log.csv`
    """
    from shopglot.config import load_distill_settings
    from shopglot.distill import distill as distill_run
    from shopglot.report.distilled import console_distilled

    found = distill_run(run, load_distill_settings(student, overrides or ()), out, unlabelled or ())
    output.print(console_distilled(found))
    output.print(f"report: {out / 'report.html'}\nbundle: {out / 'bundle'}")


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="The folder of a finished run.")]) -> None:
    """Show a run's figures and write its page again.

    Example: `shopglot report runs/demo`
    """
    from shopglot.report.table import console_table
    from shopglot.report.write import read_report, write_report

    finished = read_report(folder / "report.json")
    write_report(finished, folder)
    output.print(console_table(finished))
    output.print(f"report: {folder / 'report.html'}")


@app.command()
def score(
    bundle: Annotated[Path, typer.Argument(help="A run's `bundle` folder, or a `routing.json` of `budget`.")],
    files: Annotated[list[Path], typer.Argument(help="Files of pairs in any format that `run` reads.")],
    *,
    out: Out,
    taxonomy: Annotated[
        list[Path] | None,
        typer.Option(help="Files of category paths that the shop has now; may be given again."),
    ] = None,
    max_bad_rows: Annotated[
        float, typer.Option(min=0, max=1, help="The share of unreadable rows that stops it.")
    ] = 1.0,
    part_mb: Annotated[
        float, typer.Option(min=0.001, help="About how many megabytes of text are scored at a time.")
    ] = 8.0,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Score in this process, or on a Ray cluster; the rest is for `ray`.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option(help="HOST:PORT of the cluster's head, or auto; without it, this machine alone.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="At most so many workers.")] = None,
    cpus_per_worker: Annotated[int | None, typer.Option(min=1, help="Processors of each worker.")] = None,
    gpus_per_worker: Annotated[float, typer.Option(min=0, help="GPUs of each worker; 0.5 lets two share one.")] = 0,
) -> None:
    """Score files of pairs: every input row comes back as it was, with `score` and `prediction`.

    The result is Parquet when --out ends in `.parquet`, JSON lines when it ends in `.jsonl`, `.json` or `.txt`.
    Unreadable rows are listed beside it. Files may have any size; a killed command goes on where it was.
    With `--engine ray` the inputs are Parquet, and --out is a folder of shards with a manifest.

    Example: `shopglot score runs/demo/bundle new_pairs.csv --out scored.jsonl`
    """
    from shopglot.jobs import score_files, score_on_cluster
    from shopglot.serve.files.settings import ClusterSettings

    trees, given = tuple(taxonomy or ()), tuple(files)
    for_ray = {
        "--address": address,
        "--workers": workers,
        "--cpus-per-worker": cpus_per_worker,
        "--gpus-per-worker": gpus_per_worker or None,
    }
    if engine == "local" and (ignored := [name for name, value in for_ray.items() if value is not None]):
        raise RecipeError(f"{', '.join(ignored)}: only a cluster heeds that; add --engine ray, or leave it out")
    if engine == "ray":
        cluster = ClusterSettings(
            address=address,
            workers=workers,
            cpus_per_worker=cpus_per_worker,
            gpus_per_worker=gpus_per_worker,
            part_mb=part_mb,
        )
        scored = score_on_cluster(bundle, given, out, taxonomy=trees, max_bad_rows=max_bad_rows, cluster=cluster)
    else:
        scored = score_files(bundle, given, out, taxonomy=trees, max_bad_rows=max_bad_rows, part_mb=part_mb)
    for name, count in scored.items():
        output.print(f"{name}: {count:,}")
    output.print(f"scored: {out}")


@app.command()
def budget(
    bundles: Annotated[list[Path], typer.Argument(help="The `bundle` folders of finished runs, in any order.")],
    files: Annotated[
        list[Path], typer.Option("--files", help="Labelled pairs that no bundle learned from; may be given again.")
    ],
    out: Out,
    *,
    pairs: Annotated[float, typer.Option(min=1, help="How many pairs are to be scored, such as 100e6.")] = 100e6,
    hours: Annotated[float | None, typer.Option(min=0, help="How long that may take on this machine.")] = None,
    lose: Annotated[float, typer.Option(min=0, help="How much F1 may be lost to the dearest bundle alone.")] = 0.005,
    like: Annotated[
        list[Path] | None, typer.Option(help="Pairs that repeat themselves as those to be scored; may be given again.")
    ] = None,
    taxonomy: Annotated[list[Path] | None, typer.Option(help="Files of category paths; may be given again.")] = None,
) -> None:
    """Route pairs through cheap and dear bundles: what every way costs on this machine, and how well it decides.

    The cheapest way that loses little enough is written as `routing.json`, which `score` reads like a bundle. Each
    bundle decides the pairs that it is sure of and passes on the rest.

    Example: `shopglot budget runs/small/bundle runs/demo/bundle --files held_out.csv --hours 24 --out runs/budget`
    """
    from shopglot.jobs import plan_cascade
    from shopglot.report.table import plain_table
    from shopglot.serve.cascade.budget import Wanted
    from shopglot.serve.cascade.budget_files import frontier_table, stage_table

    seconds = None if hours is None else hours * 3600 / pairs
    wanted = Wanted(lose=lose, seconds=seconds)
    made = plan_cascade(bundles, tuple(files), out, wanted, like=tuple(like or ()), taxonomy=tuple(taxonomy or ()))
    output.print(plain_table(stage_table(made), "what each bundle costs here"))
    output.print(plain_table(frontier_table(made), "cost against F1"))
    if made.chosen.missed:
        output.print(made.chosen.missed)
    output.print(f"{pairs:,.0f} pairs: {pairs * made.chosen.seconds / 3600:,.1f} hours")
    output.print(f"routing: {out / 'routing.json'}")


@app.command()
def evaluate(
    scored: Annotated[Path, typer.Argument(help="What `shopglot score` wrote for labelled pairs.")],
    slices: Annotated[
        list[str] | None, typer.Option("--slice", help="A column whose values are shown apart; may be given again.")
    ] = None,
) -> None:
    """Show the metrics of a scored file that has labels.

    Example: `shopglot evaluate scored.jsonl --slice seen_type`
    """
    from shopglot.jobs import evaluate_file
    from shopglot.report.table import console_table

    output.print(console_table(evaluate_file(scored, tuple(slices or ()))))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs or scored files with labels, the base first.")],
    out: Out,
    gates: Annotated[
        list[str] | None, typer.Option("--gate", help="What has to hold, or the exit code is 1; may be given again.")
    ] = None,
    on: Annotated[Evidence | None, typer.Option(help="The evidence, in place of the first that all runs have.")] = None,
) -> None:
    """Hold runs against the first of them, pair by pair: differences, flipped decisions and release gates.

    A gate is `no language worse than -0.005 at 95%`, with `task` or `slice COLUMN` in place of `language`, or
    `overall not worse than 0`. With `at 95%` the lower bound of the difference counts.

    Example: `shopglot compare runs/old runs/new --out runs/compared --gate "no language worse than -0.005 at 95%"`
    """
    from shopglot.jobs import compare as compare_runs
    from shopglot.report.compare_page import console_comparison

    comparison = compare_runs(tuple(runs), out, gates=tuple(gates or ()), on=on)
    for run in comparison.runs:
        output.print(console_comparison(run, comparison.base))
        for result in run.gates:
            output.print(f"{'holds' if result.holds else 'does not hold'}: {result.gate}")
            for failure in result.failures:
                output.print(f"  {failure}")
    output.print(f"page: {out / 'compare.html'}")
    if not comparison.holds:
        raise typer.Exit(1)


@app.command()
def audit(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run.")],
    out: Annotated[
        Path | None,
        typer.Option(help="The review file, `.csv` or `.jsonl`; without it, `review.csv` in the run's folder."),
    ] = None,
    budget: Annotated[float, typer.Option(min=0, max=1, help="The share of the audited labels that is listed.")] = 0.08,
) -> None:
    """Find labels that are likely wrong, and list them for a person to review.

    What a person has edited there, `run` takes back as `data.corrections`.

    Example: `shopglot audit runs/demo --out review.csv --budget 0.05`
    """
    from shopglot.jobs import audit_run
    from shopglot.report.review import noise_table, outcome

    review = run / "review.csv" if out is None else out
    audited = audit_run(run, review, budget=budget)
    output.print(noise_table(audited.labels, audited.name))
    for line in outcome(audited.labels, audited.listed, audited.known):
        output.print(line)
    output.print(f"review: {review}")


@app.command()
def audit_split(
    files: Annotated[list[Path], typer.Argument(help="Files of pairs in any format that `run` reads.")],
    split: Annotated[Path, typer.Option(help="A file with `id` and `fold`, `split` or `part`.", show_default=False)],
    category_levels: Annotated[
        int, typer.Option(min=1, max=16, help="Paths with the same first so many levels leak.")
    ] = 2,
) -> None:
    """Say what leaks through an existing split, by every key that pairs are known by.

    Where a part is called `train`, it alone trains; else the parts are folds.

    Example: `shopglot audit-split train_QC.txt dev_QC.txt --split split.csv`
    """
    from shopglot.jobs import audit_split as audit_file
    from shopglot.report.leaks import leak_table

    output.print(leak_table(audit_file(files, split, category_levels=category_levels), split.name))


@app.command()
def translate(
    files: Annotated[list[Path], typer.Argument(help="Files of pairs in any format that `run` reads.")],
    translator: Annotated[Path, typer.Option(help="A YAML file that says what translates.", show_default=False)],
    out: Out,
    cache: Annotated[
        Path | None, typer.Option(help="The folder in which translations are kept, in place of the user's cache.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many texts are new: no model is loaded, nothing written.")
    ] = False,
    max_bad_rows: Annotated[
        float, typer.Option(min=0, max=1, help="The share of unreadable rows that stops it.")
    ] = 1.0,
) -> None:
    """Fill in `translated_query`, the query in English, where a file of pairs has none.

    Each distinct query is translated once and kept, so that a killed or repeated command goes on where it was. Rows
    come back as they were; the result is Parquet or JSON lines, as with `score`.

    Example: `shopglot translate pairs.csv --translator madlad.yaml --out translated.jsonl --dry-run`
    """
    from shopglot.config import load_translate_settings
    from shopglot.jobs import translate_files

    settings = load_translate_settings(translator)
    if cache is not None:
        settings = settings.model_copy(update={"cache": cache})
    counts = translate_files(tuple(files), settings, out, dry_run=dry_run, max_bad_rows=max_bad_rows)
    for name, count in counts.items():
        output.print(f"{name}: {count:,}")
    if not dry_run:
        output.print(f"translated: {out}")


@app.command()
def convert_translator(
    model: Annotated[str, typer.Argument(help="A sequence-to-sequence model: a folder or a hub name.")],
    out: Out,
    quantization: Annotated[Quantization, typer.Option(help="The type in which its weights are kept.")] = "int8",
) -> None:
    """Convert a translation model for CTranslate2, which is several times as fast on a CPU.

    Example: `shopglot convert-translator google/madlad400-3b-mt --out models/madlad-int8 --quantization int8`
    """
    from shopglot.enrich.fast_seq2seq import convert

    convert(model, out, quantization)
    output.print(f"model: {out}")


@app.command()
def merge_adapters(
    model: Annotated[Path, typer.Argument(help="The folder of one fine-tuned model, such as `models/llm/0` of a run.")],
    out: Out,
) -> None:
    """Write a LoRA model as one without adapters, which any recipe can name as its `model`.

    Example: `shopglot merge-adapters runs/gemma/models/gemma-3-270m/0 --out models/gemma-tuned`
    """
    from shopglot.learn.llm_scorer import merge_adapters as merge

    merge(model, out)
    output.print(f"model: {out}")


@app.command()
def pack(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run; with --pairs, a bundle will do.")],
    out: Out,
    *,
    precision: Annotated[Precision, typer.Option(help="What the networks compute in.")] = "int8",
    engine: Annotated[
        Literal["auto", "openvino", "onnxruntime"], typer.Option(help="What runs them; auto: the faster one here.")
    ] = "auto",
    pairs: Annotated[
        list[Path] | None,
        typer.Option(help="Pairs to trim, calibrate and judge by, in place of the run's files; may be given again."),
    ] = None,
    trim: Annotated[bool, typer.Option(help="Whether word pieces are left out that the pairs do not use.")] = True,
    spare: Annotated[int, typer.Option(min=0, help="The most probable of the unused pieces, which are kept.")] = 0,
    max_flips: Annotated[float, typer.Option(help="The share of decisions that may change.")] = 0.01,
    max_f1_change: Annotated[float, typer.Option(help="By how much F1 may change in any task.")] = 0.002,
) -> None:
    """Make a run's bundle small and fast, and write it only where it decides as before.

    What it becomes scores without torch. Its calibration and thresholds are chosen anew, on the run's tune part.

    Example: `shopglot pack runs/demo --out runs/packed --precision int8 --engine auto`
    """
    from shopglot.jobs import pack_run
    from shopglot.pack.settings import PackSettings
    from shopglot.report.parity import parity_table

    settings = PackSettings(
        precision=precision, engine=engine, trim=trim, spare=spare, max_flips=max_flips, max_f1_change=max_f1_change
    )
    parity, size = pack_run(run, out, settings, files=pairs or ())
    output.print(parity_table(parity))
    output.print(f"bundle: {out}, {size / 1e6:,.1f} MB")


@app.command()
def parity(
    base: Annotated[Path, typer.Argument(help="The bundle that is held to be right.")],
    new: Annotated[Path, typer.Argument(help="Another bundle of the same model, such as a packed one.")],
    files: Annotated[list[Path], typer.Argument(help="Files of pairs in any format that `run` reads.")],
    max_flips: Annotated[float, typer.Option(help="The share of decisions that may change.")] = 0.01,
    max_f1_change: Annotated[float, typer.Option(help="By how much F1 may change in any task.")] = 0.002,
) -> None:
    """Say how far two bundles of one model are from deciding alike, and which pairs they judge most differently.

    The exit code is 1 where more changes than may.

    Example: `shopglot parity runs/demo/bundle runs/packed pairs.jsonl --max-flips 0.02`
    """
    from shopglot.jobs import compare_bundles
    from shopglot.report.parity import parity_table

    found = compare_bundles(base, new, files)
    output.print(parity_table(found))
    if faults := found.faults(max_flips=max_flips, max_f1_change=max_f1_change):
        output.print("over the limit: " + "; ".join(faults))
        raise typer.Exit(1)


@app.command()
def bench(
    bundle: Annotated[Path, typer.Argument(help="The folder of a bundle, packed or not.")],
    *,
    files: Annotated[
        list[Path] | None, typer.Option("--pairs", help="Files of pairs; without them, simulated ones are scored.")
    ] = None,
    size: Annotated[int, typer.Option(min=1, help="Pairs that are scored, at most.")] = 2_000,
    candidates: Annotated[int, typer.Option(min=1, help="Targets of one request.")] = 50,
    requests: Annotated[int, typer.Option(min=1, help="Requests that are timed.")] = 200,
    out: Annotated[Path | None, typer.Option(help="A JSON file for the figures.")] = None,
) -> None:
    """Measure a bundle on this machine: pairs a second, the latency of a request, and memory.

    Example: `shopglot bench runs/packed --candidates 50 --out bench.json`
    """
    from shopglot.jobs import bench_bundle
    from shopglot.report.bench import bench_table

    measured = bench_bundle(bundle, files or (), pairs=size, candidates=candidates, requests=requests, out=out)
    output.print(bench_table(measured))


@app.command()
def serve(
    model: Annotated[
        Path, typer.Argument(help="The folder of a bundle, or the routing file of a cascade; neither is written to.")
    ],
    *,
    host: Annotated[str, typer.Option(help="The address to listen at; 0.0.0.0 lets other machines ask.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen at.")] = 8000,
    task: Annotated[Task | None, typer.Option(help="What requests that name no task mean.", show_default="QI")] = None,
    api_keys: Annotated[
        Path | None, typer.Option(help="A file of names and the SHA-256 of their keys; without it everyone may ask.")
    ] = None,
    taxonomy: Annotated[
        list[Path] | None, typer.Option(help="A file of category paths to suggest from; may be given again.")
    ] = None,
    translator: Annotated[Path | None, typer.Option(help="A YAML file that says what translates on request.")] = None,
    policies: Annotated[
        Path | None, typer.Option(help="The folder in which versions of the policy are kept; else in memory.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="The folder of a second bundle, to compare with the first on a page.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="The folder of a run, whose report becomes a page.")] = None,
    review: Annotated[
        Path | None, typer.Option(help="What `shopglot audit` wrote: its labels are reviewed on a page.")
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="A YAML file of limits, such as deadline_seconds.")] = None,
) -> None:
    """Answer over HTTP, in the schemas of Text Embeddings Inference, Cohere, Jina, vLLM and its own, and with pages.

    It listens until it is told to end, and then finishes what it took. `/docs` describes what it answers machines; the
    pages for people begin at `/`.

    Example: `shopglot serve runs/demo/bundle --port 8000 --taxonomy runs/demo/data/taxonomy.txt`
    """
    from shopglot.serve.http.threads import one_for_tables

    one_for_tables()  # before anything imports polars
    from shopglot.config import load_http_settings, load_translate_settings
    from shopglot.serve.http.run import Given
    from shopglot.serve.http.run import serve as serve_model

    read = load_http_settings(settings)
    given = Given(
        taxonomy=taxonomy or (),
        keys=api_keys,
        policies=policies,
        translator=None if translator is None else load_translate_settings(translator),
        compare=compare,
        run=report,
        review=review,
    )
    limits = read if task is None else read.model_copy(update={"task": task})
    serve_model(model, given, limits, host=host, port=port, begun=output.print)


@app.command()
def demo(
    run: Annotated[Path, typer.Argument(help="The folder of the demo's run.")] = Path("runs/demo"),
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen at.")] = 8000,
    browser: Annotated[bool, typer.Option(help="Whether a browser is opened, where there is a display.")] = True,
) -> None:
    """Open the pages of `serve` on what `make demo` left: try queries, read the report, review labels.

    Example: `shopglot demo --port 8080 --no-browser`
    """
    from shopglot.jobs import serve_demo
    from shopglot.serve.http.browser import open_once_it_answers

    def begun(address: str) -> None:
        output.print(f"the pages: {address} (Ctrl-C ends them)")
        if browser:
            open_once_it_answers(address)

    serve_demo(run, port=port, begun=begun)


@app.command()
def explain(
    bundle: Annotated[Path, typer.Argument(help="The `bundle` folder of a finished run.")],
    task: Annotated[Task, typer.Option(help="Whether the target is a category path (QC) or a product (QI).")],
    query: Annotated[str, typer.Option(help="The query as the shopper wrote it.")],
    target: Annotated[str, typer.Option(help="The category path or the product's title.")],
    english: Annotated[str | None, typer.Option(help="The query in English.")] = None,
    language: Annotated[str | None, typer.Option(help="The query's language, such as fr.")] = None,
) -> None:
    """Show which words of one pair its probability rests on: how much it drops when each is left out.

    Example: `shopglot explain runs/demo/bundle --task QC --query "dog bed" --target "pet supplies,dogs,beds"`
    """
    from shopglot.jobs import explain as explain_pair
    from shopglot.report.attribution import console_attribution

    pair = Pair(task=task, query=query, target=target, english=english, language=language)
    output.print(console_attribution(*explain_pair(bundle, pair)))


@app.command()
def submit(
    scored: Annotated[list[Path], typer.Argument(help="What `shopglot score` wrote for the task files.")],
    tasks: Tasks,
    out: Out,
) -> None:
    """Write a competition's submission: `submit_QC.txt`, `submit_QI.txt` and `submit.zip`, checked, or nothing.

    Example: `shopglot submit scored.jsonl --tasks dev_QC.txt --tasks dev_QI.txt --out submission`
    """
    from shopglot.report.submission import ZIP, write_submission

    for name, (pairs, relevant) in write_submission(scored, tasks, out).items():
        output.print(f"{out / name}: {pairs:,} pairs, {relevant / pairs:.1%} relevant")
    output.print(f"{out / ZIP}: checked, without a fault")


@app.command()
def check_submission(
    submission: Annotated[Path, typer.Argument(help="A folder with the files, or the zip.")], tasks: Tasks
) -> None:
    """Check a submission against the task files; any fault ends with exit code 2 and one line per kind of fault.

    Example: `shopglot check-submission submission/submit.zip --tasks dev_QC.txt --tasks dev_QI.txt`
    """
    from shopglot.report.submission import check_submission as check

    faults = check(submission, tasks)
    for fault in faults:
        output.print(str(fault))
    if faults:
        raise DataError(f"{submission} has the faults above; write it with `shopglot submit`")
    output.print(f"{submission}: without a fault")


@app.command()
def compare_submissions(
    first: Annotated[Path, typer.Argument(help="A folder with the files, or the zip.")],
    second: Annotated[Path, typer.Argument(help="Another answer to the same task files.")],
    examples: Annotated[int, typer.Option(min=0, help="How many differing pairs are shown per task.")] = 5,
) -> None:
    """Show how many decisions of two submissions differ, by task and language, and some of them.

    Example: `shopglot compare-submissions old/submit.zip submission`
    """
    from shopglot.report.submission import compare_submissions as compare
    from shopglot.report.table import plain_table

    found = compare(first, second)
    output.print(plain_table(found.counts, "Decisions that differ"))
    if examples and found.differing.height:
        shown = found.differing.group_by("task", maintain_order=True).head(examples)
        output.print(plain_table(shown, "Some of them: 1 is relevant"))


@app.command()
def export_trec(
    scored: Annotated[Path, typer.Argument(help="A scored file; or a labelled one, for judgements alone.")], out: Out
) -> None:
    """Write judgements and ranking as TREC files: `qrels.txt`, `run.txt`, `queries.tsv` and `documents.tsv`.

    Example: `shopglot export-trec scored.jsonl --out trec`
    """
    from shopglot.report.trec import export_trec as export

    for name, lines in export(scored, out).items():
        output.print(f"{out / name}: {lines:,} lines")


@app.command()
def import_trec(
    folder: Annotated[Path, typer.Argument(help="With queries.tsv, documents.tsv, and qrels.txt or run.txt or both.")],
    out: Out,
    task: Annotated[Task, typer.Option(help="Whether documents are category paths (QC) or products (QI).")] = "QI",
    language: Annotated[str | None, typer.Option(help="The queries' language, such as en.")] = None,
    relevant: Annotated[int, typer.Option(help="The lowest grade that counts as relevant.")] = 1,
) -> None:
    """Write the candidates of TREC files as a file of pairs that `run` and `score` read.

    Example: `shopglot import-trec trec --out pairs.jsonl --task QI --language en`
    """
    from shopglot.report.trec import import_trec as read

    pairs = read(folder, out, task=task, language=language, relevant=relevant)
    output.print(f"{out}: {pairs:,} pairs")


@app.command()
def rank_measures(
    run: Annotated[Path, typer.Argument(help="A TREC run file.")],
    qrels: Annotated[Path, typer.Argument(help="The TREC judgements of its queries.")],
    measures: Annotated[
        list[str] | None, typer.Option("--measure", help="Such as nDCG@10, in ir-measures' way; may be given again.")
    ] = None,
) -> None:
    """Show ranking measures over the queries that have several candidates.

    Example: `shopglot rank-measures trec/run.txt trec/qrels.txt --measure nDCG@10 --measure RR`
    """
    from shopglot.report.table import plain_table
    from shopglot.report.trec import MEASURES
    from shopglot.report.trec import rank_measures as measure

    found = measure(run, qrels, measures or MEASURES)
    output.print(plain_table(found.table, f"Means over {found.queries:,} queries with several candidates"))
    for count, what in (
        (found.absent, "of them have no result and count as 0"),
        (found.single, "other queries have one candidate and are left out"),
        (found.unjudged, "queries of the run have no judgement and are left out"),
    ):
        if count:
            output.print(f"{count:,} {what}")
