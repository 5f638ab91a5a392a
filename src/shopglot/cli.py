"""One command per verb: parse, call one function, print."""

import logging
import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.logging import RichHandler

from shopglot import __version__
from shopglot.core.errors import RecipeError, ShopglotError
from shopglot.learn.gpus import GPUS, gpu_named

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
output = Console(markup=False, highlight=False, soft_wrap=True)  # paths come out as they are, in one line
problems = Console(stderr=True)

Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Put another value into the recipe; may be given again.")
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
def run(
    recipe: Annotated[Path, typer.Argument(help="A YAML file, such as recipes/demo.yaml.")],
    out: Out,
    overrides: Overrides = None,
    max_bad_rows: Annotated[
        float | None, typer.Option(help="The share of unreadable rows, from 0 to 1, that stops the run.")
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
    overrides: Overrides = None,
) -> None:
    """Say what fine-tuning will take, before anything is loaded: parameters, memory, steps, tokens and time.

    Memory is that of the longest batch on each device. What cannot fit ends with exit code 2 and what would help.

    Example: `shopglot plan recipes/winner.yaml --gpu a100-80gb --pairs 640000 --tokens 60`
    """
    from shopglot.config import load_recipe
    from shopglot.pipeline import plan_learners
    from shopglot.report.planned import plan_table

    read = load_recipe(recipe, tuple(overrides or ()))
    plans = plan_learners(read, gpu_named(gpu), pairs=pairs, tokens=tokens)
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
    bundle: Annotated[Path, typer.Argument(help="The `bundle` folder of a finished run.")],
    files: Annotated[list[Path], typer.Argument(help="Files of pairs in any format that `run` reads.")],
    out: Out,
    taxonomy: Annotated[
        list[Path] | None,
        typer.Option(help="Files of category paths that the shop has now; may be given again."),
    ] = None,
    max_bad_rows: Annotated[
        float, typer.Option(help="The share of unreadable rows, from 0 to 1, that stops it.")
    ] = 1.0,
) -> None:
    """Score files of pairs: every input row comes back as it was, with `score` and `prediction`.

    The result is Parquet when --out ends in `.parquet`, JSON lines when it ends in `.jsonl`, `.json` or `.txt`.
    Unreadable rows are listed beside it.

    Example: `shopglot score runs/demo/bundle new_pairs.csv --out scored.jsonl`
    """
    from shopglot.pipeline import score_files

    scored = score_files(bundle, tuple(files), out, taxonomy=tuple(taxonomy or ()), max_bad_rows=max_bad_rows)
    for name, count in scored.items():
        output.print(f"{name}: {count:,}")
    output.print(f"scored: {out}")


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
    from shopglot.pipeline import evaluate_file
    from shopglot.report.table import console_table

    output.print(console_table(evaluate_file(scored, tuple(slices or ()))))


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
    from shopglot.pipeline import audit_run
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
    category_levels: Annotated[int, typer.Option(min=1, help="Paths with the same first so many levels leak.")] = 2,
) -> None:
    """Say what leaks through an existing split, by every key that pairs are known by.

    Where a part is called `train`, it alone trains; else the parts are folds.

    Example: `shopglot audit-split train_QC.txt dev_QC.txt --split split.csv`
    """
    from shopglot.pipeline import audit_split as audit_file
    from shopglot.report.leaks import leak_table

    output.print(leak_table(audit_file(files, split, category_levels=category_levels), split.name))


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
