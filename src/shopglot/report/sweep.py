"""What a sweep found out: `sweep.json` for programs, `sweep.html` for people, and a table for the terminal."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rich.box
import rich.table
from pydantic import JsonValue
from rich.text import Text

from shopglot.core.files import whole_file, write_json
from shopglot.learn.search import Trial
from shopglot.learn.sweep_settings import Domain, Range
from shopglot.report.charts import running_best_chart, scatter_chart
from shopglot.report.figures import decimal, percent
from shopglot.report.render import render
from shopglot.report.sections import Row, Table


@dataclass(frozen=True, slots=True)
class Sweep:
    """The trials of a recipe, in their order, and the space that their values come from."""

    name: str
    space: Mapping[str, Domain]
    trials: tuple[Trial, ...]
    simulated: bool

    @property
    def ranked(self) -> list[Trial]:
        """The trials, the best first; of equal ones the earlier."""
        return sorted(self.trials, key=lambda trial: -trial.measured.objective)

    @property
    def best(self) -> Trial:
        """The trial with the highest mean of the tasks' PR-AUC."""
        return self.ranked[0]

    def to_json(self) -> dict[str, Any]:
        """Return the tree of `sweep.json`: the trials, the best first."""
        trials = [{"objective": trial.measured.objective, **asdict(trial)} for trial in self.ranked]
        return {"name": self.name, "trials": trials}


def write_sweep(sweep: Sweep, out: Path) -> None:
    """Write `sweep.json` and the self-contained page `sweep.html` into the folder `out`."""
    write_json(out / "sweep.json", sweep.to_json())
    with whole_file(out / "sweep.html") as part:
        part.write_text(sweep_page(sweep), encoding="utf-8")


def sweep_page(sweep: Sweep) -> str:
    """Return the sweep as HTML without scripts, fonts or pictures from elsewhere."""
    reached = {trial.number: trial.measured.objective for trial in sweep.trials}
    view = {
        "sweep": sweep,
        "best": [(key, _shown(value)) for key, value in sweep.best.values.items()],
        "reached": decimal(sweep.best.measured.objective),
        "by_trial": running_best_chart(reached, "mean PR-AUC"),
        "by_value": {key: _value_chart(sweep, key, domain) for key, domain in sweep.space.items()},
        "table": sweep_table(sweep),
    }
    return render("sweep.html.j2", view)


def console_sweep(sweep: Sweep) -> rich.table.Table:
    """Return the trials, the best first, for `rich.console.Console.print`."""
    found = sweep_table(sweep)
    title = Text(f"{sweep.name}: {found.caption}")
    table = rich.table.Table(title=title, box=rich.box.SIMPLE, padding=0)
    for column in found.columns:
        table.add_column(Text(column), justify="right", overflow="fold")
    for row in found.rows:
        table.add_row(*(Text(cell) for cell in (row.name, *row.cells)), style="bold" if row.marks else None)
    return table


def sweep_table(sweep: Sweep) -> Table:
    """Return the trials with their values, PR-AUC and F1 of each task and seconds, the best first."""
    tasks = sweep.best.measured.pr_auc
    names = _short_names(tuple(sweep.space))
    columns = ("trial", *names, "mean", *tasks, *(f"{task} F1 %" for task in tasks), "seconds")
    rows = [Row(str(trial.number), _cells(trial), ("best",) * (trial is sweep.best)) for trial in sweep.ranked]
    return Table(f"PR-AUC out of fold of {len(rows)} trials, mean and per task", columns, tuple(rows))


def _short_names(keys: tuple[str, ...]) -> list[str]:
    """Return the last part of each key, or the whole key where two end alike."""
    last = [key.rpartition(".")[2] for key in keys]
    return [name if last.count(name) == 1 else key for name, key in zip(last, keys, strict=True)]


def _cells(trial: Trial) -> tuple[str, ...]:
    measured = trial.measured
    return (
        *map(_shown, trial.values.values()),
        decimal(measured.objective),
        *map(decimal, measured.pr_auc.values()),
        *map(percent, measured.f1.values()),
        f"{measured.seconds:.1f}",
    )


def _value_chart(sweep: Sweep, key: str, domain: Domain) -> str:
    points = [(_place(trial.values[key], domain), trial.measured.objective) for trial in sweep.trials]
    return scatter_chart(points, (key, "mean PR-AUC"), log=isinstance(domain, Range) and domain.log)


def _place(value: JsonValue, domain: Domain) -> float | str:
    """Return where a value stands on its axis: choices have no order, even where they are numbers."""
    return value if isinstance(domain, Range) and isinstance(value, int | float) else _shown(value)


def _shown(value: JsonValue) -> str:
    """Return a value as a person would write it into a recipe."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
