from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from shopglot.core.files import read_json
from shopglot.report.sweep import Sweep, console_sweep, sweep_page, sweep_table, write_sweep
from tests.report import swept
from tests.report.parsed import Parsed
from tests.report.swept import SPACE, trial


@pytest.fixture
def sweep() -> Sweep:
    return swept.sweep()


def test_the_best_trial_comes_first_and_of_equal_ones_the_earlier(sweep: Sweep) -> None:
    assert [trial.number for trial in sweep.ranked] == [2, 5, 1, 4]
    assert sweep.best.number == 2


def test_the_table_has_the_values_the_measures_and_the_seconds_of_every_trial(sweep: Sweep) -> None:
    table = sweep_table(sweep)
    names = ("learning_rate", "hidden", "learn.0.name", "learn.1.name")
    assert table.columns == ("trial", *names, "mean", "QC", "QI", "QC F1 %", "QI F1 %", "seconds")
    best, second, *_ = table.rows
    assert (best.name, best.marks, second.marks) == ("2", ("best",), ())
    assert best.cells == ("0.0001235", "null", "[red]", "e5", "0.850", "0.900", "0.800", "87.1", "70.2", "12.3")


def test_the_terminal_shows_every_cell_of_the_table(sweep: Sweep) -> None:
    console = Console(width=200, record=True, file=StringIO())
    console.print(console_sweep(sweep))
    shown = [line.split() for line in console.export_text().splitlines()]
    assert all([row.name, *" ".join(row.cells).split()] in shown for row in sweep_table(sweep).rows)


def test_the_page_shows_the_trials_says_that_the_best_is_optimistic_and_needs_nothing_beside_itself(
    sweep: Sweep,
) -> None:
    html = sweep_page(sweep)
    parsed = Parsed(html)
    assert parsed.text.count("optimistic") == 1
    assert all(cell in parsed.text for row in sweep_table(sweep).rows for cell in row.cells)
    assert [tag for tag, _ in parsed.tags].count("svg") == 1 + len(SPACE)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in parsed.tags}
    assert "http" not in html


@pytest.mark.parametrize("simulated", [True, False])
def test_a_page_on_simulated_pairs_says_so(sweep: Sweep, simulated: bool) -> None:
    page = sweep_page(Sweep(sweep.name, sweep.space, sweep.trials, simulated=simulated))
    assert ("were simulated" in page) == simulated


def test_a_sweep_of_one_trial_has_its_pictures() -> None:
    page = sweep_page(Sweep("one", SPACE, (trial(1, 0.7),), simulated=False))
    assert page.count("<svg") == 1 + len(SPACE)


def test_the_json_holds_the_trials_the_best_first(sweep: Sweep, tmp_path: Path) -> None:
    write_sweep(sweep, tmp_path)
    tree = read_json(tmp_path / "sweep.json")
    assert [each["number"] for each in tree["trials"]] == [2, 5, 1, 4]
    best = tree["trials"][0]
    assert best["objective"] == pytest.approx(0.85)
    assert best["values"]["learn.1.contrast.learning_rate"] == 0.000123456
    assert best["measured"] == {"pr_auc": {"QC": 0.9, "QI": 0.8}, "f1": {"QC": 0.871, "QI": 0.702}, "seconds": 12.34}
    assert (tmp_path / "sweep.html").read_text(encoding="utf-8") == sweep_page(sweep)
