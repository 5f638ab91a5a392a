"""The leaks of a split in a few lines for the terminal."""

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from shopglot.report.figures import count, percent


def leak_table(leaks: pl.DataFrame, name: str) -> Table:
    """Return the tasks and keys with the share of judged pairs that training knows, for `rich.console.Console.print`.

    `leaks` is what `fold.split.leaks` returns.
    """
    table = Table(
        title=Text(f"{name}: judged pairs that training knows"),
        caption="judge: pairs that judge and have the key; leak %: the share of them whose key training shows too",
        box=SIMPLE_HEAD,
        collapse_padding=True,
    )
    for column in ("task, key", "judge", "leak %", "example", "known in training as"):
        table.add_column(column, justify="right" if column in {"judge", "leak %"} else "left")
    for (task,), rows in leaks.group_by("task", maintain_order=True):
        table.add_section()
        table.add_row(str(task), style="bold")
        for key, judge, share, example, known in rows.drop("task").rows():
            texts = (Text(f"  {key}"), Text(count(judge)), Text(percent(share)), Text(example or ""), Text(known or ""))
            table.add_row(*texts)
    return table
