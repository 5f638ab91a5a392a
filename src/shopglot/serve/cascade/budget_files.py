"""What `shopglot budget` writes and shows: the routing, the frontier as JSON and as a chart, and tables."""

import platform
from pathlib import Path
from typing import Any, Final

import polars as pl

from shopglot.core.files import whole_file, write_json
from shopglot.report.charts import scatter_chart
from shopglot.serve.cascade.budget import Budget, Point, unsure_of
from shopglot.serve.cascade.routing import Routing, routed_stage

MARK: Final = "routing.json"


def write_budget(budget: Budget, out: Path) -> None:
    """Write `routing.json`, `frontier.json` and `frontier.svg` into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    routing_of(budget, out / MARK).save(out / MARK)
    frontiers = {task: [_facts(point, budget) for point in own.frontier] for task, own in budget.tasks.items()}
    write_json(out / "frontier.json", {"repetition": budget.repetition._asdict(), "tasks": frontiers})
    for task, own in budget.tasks.items():
        dots = [(1 / point.seconds, point.f1_elsewhere) for point in own.frontier]
        with whole_file(out / f"frontier-{task}.svg") as part:
            part.write_text(scatter_chart(dots, ("pairs a second", "F1"), log=True), encoding="utf-8")


def routing_of(budget: Budget, path: Path) -> Routing:
    """Return the chosen routing, with the stages that it takes, for a file at `path`."""
    stages = tuple(
        routed_stage(each.name, each.folder, path, unsure, each.cost)
        for number, each in enumerate(budget.stages)
        if (unsure := unsure_of(budget.chosen, number))
    )
    expected = {"seconds": budget.chosen.seconds}
    for task, point in budget.chosen.points.items():
        expected |= {
            f"{task} f1": point.f1_elsewhere,
            f"{task} f1 of {budget.stages[-1].name}": budget.tasks[task].alone.f1,
        }
    return Routing(stages=stages, expected=expected, machine=f"{platform.machine()} {platform.processor()}".strip())


def stage_table(budget: Budget) -> pl.DataFrame:
    """Return what each bundle costs on this machine."""
    return pl.DataFrame(
        [
            {
                "stage": each.name,
                "µs a pair": round(1e6 * each.cost.pair),
                "µs a new text": round(1e6 * each.cost.text),
            }
            for each in budget.stages
        ]
    )


def frontier_table(budget: Budget, lines: int = 12) -> pl.DataFrame:
    """Return a few points of each task's frontier, the chosen one and the dearest bundle alone among them."""
    rows = []
    for task, own in budget.tasks.items():
        chosen = budget.chosen.points[task]
        step = max(1, len(own.frontier) // lines)
        shown = sorted({*own.frontier[::step], chosen, own.alone}, key=lambda point: point.seconds)
        rows += [{"task": task, **_row(point, budget), "": "chosen" if point == chosen else ""} for point in shown]
    return pl.DataFrame(rows)


def _row(point: Point, budget: Budget) -> dict[str, Any]:
    names = [budget.stages[number].name for number in point.route.stages]
    ways = [f"{name} {share:.1%}" for name, share in zip(names, point.reached, strict=True)]
    return {
        "pairs a second": round(1 / point.seconds),
        "f1": point.f1_elsewhere,
        "which share reaches": " > ".join(ways),
    }


def _facts(point: Point, budget: Budget) -> dict[str, Any]:
    return {
        "stages": [budget.stages[number].name for number in point.route.stages],
        "unsure": [list(band) for band in point.route.bands],
        "seconds": point.seconds,
        "f1": point.f1,
        "f1_elsewhere": point.f1_elsewhere,
        "reached": list(point.reached),
    }
