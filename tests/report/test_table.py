from io import StringIO

from rich.console import Console

from shopglot.report.figures import percent
from shopglot.report.settings import ReportSettings
from shopglot.report.summary import Report, summarise
from shopglot.report.table import console_table
from tests.report.made_up import both_tasks, small_report


def test_the_terminal_shows_tasks_and_languages_with_the_figures_of_the_page(report: Report) -> None:
    console = Console(width=120, record=True, file=StringIO())
    console.print(console_table(report))
    text = console.export_text()
    for task in report.tasks.values():
        for measures in (task, *task.slices["language"].values()):
            assert percent(measures.f1) in text
            assert percent(measures.all_positive_f1) in text
    assert "0.412" in text
    assert "on dev" in text


def test_the_terminal_shows_what_each_of_several_learners_is_worth_alone_in_both_tasks() -> None:
    learners = {name: both_tasks("dev", skill=skill) for name, skill in (("learned-QC", 0.7), ("learned-QI", 1.1))}
    report = summarise(
        "transfer",
        [both_tasks("dev")],
        learners,
        ReportSettings(bootstrap=100),
        seed=1,
        thresholds={"QC": 0.412, "QI": 0.525},
    )
    console = Console(width=80, record=True, file=StringIO())
    console.print(console_table(report))
    text = console.export_text()
    for name, tasks in report.learners.items():
        assert text.count(f"{name} alone") == 2
        assert all(percent(each.f1) in text for each in tasks.values())


def test_the_terminal_takes_brackets_of_a_language_for_what_they_are() -> None:
    console = Console(width=120, record=True, file=StringIO())
    console.print(console_table(small_report(languages=("en", "[red]"))))
    assert "[red]" in console.export_text()


def test_no_figure_is_cut_in_a_terminal_of_80_columns_and_small_slices_are_marked() -> None:
    shown = both_tasks("dev", queries=90)
    settings = ReportSettings(slices=("seen_type",), bootstrap=100)
    report = summarise("tiny", [shown], {}, settings, seed=1, thresholds={"QC": 0.412, "QI": 0.525})
    console = Console(width=80, record=True, file=StringIO())
    console.print(console_table(report))
    text = console.export_text()
    assert "…" not in text
    assert "QC, threshold 0.412" in text
    assert "seen_type: unseen" in text
    assert "450 " in text
    small = Console(width=80, record=True, file=StringIO())
    small.print(console_table(small_report()))
    assert "50*" in small.export_text()
