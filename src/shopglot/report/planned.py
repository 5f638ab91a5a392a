"""Plans of trainings as a table for the terminal."""

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from shopglot.learn.plan import MOST_PARAMETERS, Plan
from shopglot.learn.remedies import GIB
from shopglot.report.figures import count, duration, short


def plan_table(plans: Mapping[str, Plan], title: str) -> Table:
    """Return a column per learner for `rich.console.Console.print`; memory is that of each device."""
    table = Table(title=Text(title))
    table.add_column("learner")
    for name in plans:
        table.add_column(Text(name), justify="right")
    figures = [_figures(plan) for plan in plans.values()]
    for name in figures[0]:
        table.add_row(name, *(Text(each[name]) for each in figures))
    return table


def _figures(plan: Plan) -> dict[str, str]:
    memory, sizes = plan.memory, plan.sizes
    limit = f"{'≤' if sizes.parameters <= MOST_PARAMETERS else '>'} {short(MOST_PARAMETERS)}"
    return {
        "model": plan.settings.model,
        "parameters, competition's limit": f"{short(sizes.parameters)} {limit}",
        "trainable": short(sizes.trainable),
        "devices": count(plan.devices),
        "weights, GiB per device": _gib(memory.weights),
        "gradients": _gib(memory.gradients),
        "optimizer": _gib(memory.optimizer),
        "activations": _gib(memory.activations),
        "together": _gib(memory.total),
        "steps": count(plan.steps),
        "tokens": short(plan.tokens),
        "time": duration(plan.seconds),
    }


def _gib(size: float) -> str:
    return f"{size / GIB:.2f}"
