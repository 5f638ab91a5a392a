"""The parity of two bundles as a table for the terminal."""

from rich.console import Group, RenderableType
from rich.table import Table

from shopglot.pack.parity import Parity


def parity_table(parity: Parity) -> RenderableType:
    """Return the figures of a parity, and under them the pairs that are judged most differently."""
    figures = Table(title=f"parity on {parity.pairs:,} pairs")
    for heading in ("", "", "95 % interval"):
        figures.add_column(heading, justify="right" if heading else "left")
    figures.add_row("largest change of a probability", f"{parity.largest:.4f}", "")
    figures.add_row("mean change of a probability", f"{parity.mean:.5f}", "")
    low, high = parity.flips_interval
    figures.add_row("decisions that flip", f"{parity.flips:.2%}", f"{low:.2%} to {high:.2%}")
    for task, change in parity.f1.items():
        low, high = parity.f1_intervals[task]
        figures.add_row(f"change of F1, {task}", f"{change:+.4f}", f"{low:+.4f} to {high:+.4f}")
    return Group(figures, _worst(parity))


def _worst(parity: Parity) -> Table:
    table = Table(title="judged most differently")
    for heading in ("id", "query", "target", "before", "after", ""):
        table.add_column(heading)
    for row in parity.worst.iter_rows(named=True):
        base, new = f"{row['base']:.3f}", f"{row['new']:.3f}"
        table.add_row(row["id"], row["query"], row["target"], base, new, "flips" if row["flipped"] else "")
    return table
