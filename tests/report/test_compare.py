import re
from html import escape
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shopglot.core.errors import DataError, RecipeError
from shopglot.core.files import read_json
from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion
from shopglot.jobs import compare
from shopglot.report.compare import Comparison, compare_sides, mcnemar
from shopglot.report.compare_page import compare_page, p_value
from shopglot.report.figures import decimal, percent, points
from shopglot.report.gate import Gate
from shopglot.report.kept import KEPT, Side, read_side
from shopglot.report.settings import ReportSettings
from tests.command import Command, refused
from tests.report.made_up import both_tasks, judged
from tests.report.parsed import Parsed
from tests.report.sides import changed, run, run_folder, scored_file, side

FAST = ReportSettings(bootstrap=100)
NASTY = "<script>alert(1)</script>"


def compared(*sides: Side, gates: tuple[str, ...] = (), on: str | None = None) -> Comparison:
    return compare_sides(sides, [Gate.parse(text) for text in gates], on, FAST)


def in_memory(name: str, found: Judged) -> Side:
    return Side(name, {found.name: found})


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("runs")
    skills = {"old": 0.8, "new": 2.0, "newest": 0.4}
    sides = [read_side(run(folder / name, skill=skill, name=NASTY)) for name, skill in skills.items()]
    return compared(*sides, gates=("no language worse than -0.005 at 95%",))


def test_a_run_keeps_its_judged_pairs_and_they_come_back_as_they_were(tmp_path: Path) -> None:
    dev, folds = both_tasks("dev"), both_tasks("out-of-fold", folds=3)
    found = side(tmp_path / "run", dev, folds).evidence
    assert list(found) == ["dev", "out-of-fold"]
    for name, kept in (("dev", dev), ("out-of-fold", folds)):
        assert found[name].pairs.frame.equals(kept.pairs.frame)
        np.testing.assert_array_equal(found[name].probability, kept.probability)
        np.testing.assert_array_equal(found[name].decision, kept.decision)
    assert found["dev"].fold is None
    assert folds.fold is not None
    assert found["out-of-fold"].fold is not None
    assert found["out-of-fold"].fold.to_list() == folds.fold.to_list()


def test_each_later_run_is_held_against_the_first_pair_by_pair(comparison: Comparison) -> None:
    assert comparison.measured_on == "dev"
    assert [Path(found.name).name for found in comparison.runs] == ["new", "newest"]
    for found, skill in zip(comparison.runs, (2.0, 0.4), strict=True):
        for task in ("QC", "QI"):
            old, new = judged(task=task, skill=0.8), judged(task=task, skill=skill)
            rows = (old.pairs["language"] == "fr").to_numpy()
            each = found.tasks[task].slices["language"]["fr"]
            f1 = [Confusion.of(one.pairs.labels[rows], one.decision[rows]).f1 for one in (old, new)]
            assert [each.base.f1, each.new.f1, each.difference.f1] == pytest.approx([*f1, f1[1] - f1[0]])
            right = [(one.decision == (one.pairs.labels == 1)) & rows for one in (old, new)]
            assert (each.gained, each.lost) == ((right[1] & ~right[0]).sum(), (right[0] & ~right[1]).sum())
            assert each.p_value == mcnemar(each.gained, each.lost)
    assert comparison.runs[0].overall.interval[0] > 0 > comparison.runs[1].overall.interval[1]


def test_the_columns_that_the_run_kept_are_slices_too(comparison: Comparison) -> None:
    assert set(comparison.runs[0].tasks["QC"].slices) == {"seen_type", "language"}


def test_the_exact_test_is_the_binomial_sum_over_what_is_as_far_from_even() -> None:
    assert mcnemar(0, 5) == pytest.approx(2 / 2**5)
    assert mcnemar(1, 5) == mcnemar(5, 1) == pytest.approx(2 * (1 + 6) / 2**6)
    assert mcnemar(3, 3) == mcnemar(0, 0) == 1.0


def test_a_run_against_itself_changes_nothing_and_holds_every_gate() -> None:
    same = in_memory("a", judged("dev"))
    gates = ("no language worse than 0 at 95%", "no task worse than 0", "overall not worse than 0 at 95%")
    found = compared(same, same, gates=gates)
    whole = found.runs[0].tasks["QC"]
    assert (whole.gained, whole.lost, whole.p_value, whole.difference.interval) == (0, 0, 1.0, (0.0, 0.0))
    assert found.holds


def test_flips_show_the_pairs_whose_probability_moved_furthest_and_at_most_five_of_a_kind() -> None:
    base = judged("dev", skill=0.8)
    rows = tuple(range(0, 60, 2))
    found = compared(in_memory("old", base), in_memory("new", changed(base, flip=rows))).runs[0].tasks["QC"]
    right = base.decision == (base.pairs.labels == 1)
    assert (found.gained, found.lost) == (sum(not right[row] for row in rows), sum(right[row] for row in rows))
    moved = {row: abs(1 - 2 * base.probability[row]) for row in rows}
    for kind, kept in (("gained", False), ("lost", True)):
        furthest = sorted((row for row in rows if right[row] == kept), key=lambda row: -moved[row])[:5]
        assert [flip.id for flip in found.flips[kind]] == [f"QC-{row}" for row in furthest]
    flip = found.flips["lost"][0]
    assert flip.new == pytest.approx(1 - flip.base)
    assert (flip.query, flip.target) == (base.pairs["query"][int(flip.id[3:])], "shoes,boots")


def test_the_rows_of_the_new_run_may_stand_in_another_order() -> None:
    old, new = judged("dev", skill=0.8), judged("dev", skill=2.0)
    order = np.random.default_rng(1).permutation(len(new.pairs))
    straight, shuffled = (
        compared(in_memory("old", old), in_memory("new", each)) for each in (new, changed(new, rows=order))
    )
    assert shuffled == straight


def test_a_cleaning_that_only_changes_the_spelling_is_still_the_same_pair() -> None:
    old = judged("dev")
    upper = changed(old, query=pl.col("query").str.to_uppercase())
    assert compared(in_memory("old", old), in_memory("new", upper)).runs[0].tasks["QC"].gained == 0


def test_a_scored_file_is_held_against_the_dev_pairs_of_a_run(tmp_path: Path) -> None:
    dev, new = judged("dev"), judged("dev", skill=3.0)
    file = read_side(scored_file(tmp_path / "scored.jsonl", new))
    found = compared(side(tmp_path / "run", dev), file)
    assert found.measured_on == "dev"
    assert found.runs[0].tasks["QC"].difference.f1 > 0
    assert compared(file, file).measured_on == "scored file"


def test_the_evidence_is_the_first_that_all_runs_have_unless_another_is_named(tmp_path: Path) -> None:
    both = read_side(run(tmp_path / "both"))
    folds = side(tmp_path / "folds", both_tasks("out-of-fold", skill=2.0, folds=3))
    assert compared(both, folds).measured_on == "out-of-fold"
    assert compared(both, both, on="out-of-fold").measured_on == "out-of-fold"
    with pytest.raises(RecipeError, match="folds has nothing judged on 'dev'; give --on one of out-of-fold"):
        compared(both, folds, on="dev")
    with pytest.raises(DataError, match="no kind of evidence is in all of these runs"):
        compared(folds, side(tmp_path / "dev", both_tasks("dev")))


def test_the_overall_interval_is_that_of_the_mean_of_independent_tasks() -> None:
    one = compared(in_memory("a", judged("dev", skill=0.8)), in_memory("b", judged("dev", skill=2.0))).runs[0]
    assert one.overall.interval == pytest.approx(one.tasks["QC"].difference.interval)
    two = compared(in_memory("a", both_tasks("dev", skill=0.8)), in_memory("b", both_tasks("dev", skill=2.0))).runs[0]
    parts = [found.difference for found in two.tasks.values()]
    assert two.overall.f1 == pytest.approx(np.mean([part.f1 for part in parts]))
    half_widths = [part.f1 - part.interval[0] for part in parts]
    assert two.overall.f1 - two.overall.interval[0] == pytest.approx(hypot(*half_widths) / 2)


@pytest.mark.parametrize(
    ("spoiled", "sentence"),
    [
        (
            lambda new: changed(new, rows=np.arange(297)),
            "b has no score for 3 of the 300 pairs of a, the first of them",
        ),
        (lambda new: changed(new, label=1 - pl.col("label")), "over different data, for the label of QC-0 is not"),
        (lambda new: changed(new, query=pl.lit("other")), "over different data, for the query of QC-0 is not the same"),
        (lambda new: changed(new, target=pl.lit("a,b")), "over different data, for the target of QC-0 is not the same"),
        (lambda new: judged("dev", task="QI"), "b has no score for 300 of the 300 pairs of a"),
        (lambda new: judged("dev", queries=70), "b has 50 pairs that a lacks"),
    ],
)
def test_runs_over_different_pairs_are_refused_in_one_sentence(spoiled: Any, sentence: str) -> None:
    old = judged("dev")
    with pytest.raises(DataError) as error:
        compared(in_memory("a", old), in_memory("b", spoiled(old)))
    assert sentence in str(error.value)


def test_pairs_of_one_class_are_refused_but_a_slice_of_one_class_is_shown() -> None:
    old = judged("dev")
    for label, word in ((0, "irrelevant"), (1, "relevant")):
        one = in_memory("a", changed(old, label=pl.lit(label, dtype=pl.Int8)))
        with pytest.raises(DataError, match=f"all 300 QC pairs of a are {word}"):
            compared(one, one)
    french = pl.when(pl.col("language") == "fr").then(pl.lit(1, dtype=pl.Int8)).otherwise("label")
    part = in_memory("a", changed(old, label=french))
    found = compared(part, part)
    assert found.runs[0].tasks["QC"].slices["language"]["fr"].base.mcc is None
    assert "all relevant" in compare_page(found)


def test_a_probability_that_is_none_and_an_id_that_stands_twice_are_refused(tmp_path: Path) -> None:
    kept = run(tmp_path / "run") / KEPT
    table = pl.read_parquet(kept)
    number = pl.int_range(pl.len())
    for spoiled, sentence in (
        (pl.when(number == 2).then(float("nan")).otherwise("probability").alias("probability"), "of QC-2 in .* is nan"),
        (pl.when(number == 2).then(None).otherwise("probability").alias("probability"), "of QC-2 in .* is None"),
        (
            pl.when(number == 2).then(pl.lit("QC-1")).otherwise("id").alias("id"),
            "two rows of .*, dev have the id 'QC-1'",
        ),
    ):
        table.with_columns(spoiled).write_parquet(kept)
        with pytest.raises(DataError, match=sentence):
            read_side(kept.parent)


def test_a_scored_file_with_an_id_twice_is_refused(tmp_path: Path) -> None:
    file = scored_file(tmp_path / "scored.jsonl", judged("dev"))
    file.write_text(file.read_text() + file.read_text().splitlines()[0] + "\n")
    with pytest.raises(DataError, match=r"two rows of .*scored.jsonl have the id 'QC-0'"):
        read_side(file)


@pytest.mark.parametrize("text", ["not a table", ""])
def test_what_is_no_run_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="no run or scored file at"):
        read_side(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"no judged pairs at .*; make them with `shopglot run`"):
        read_side(tmp_path)
    (tmp_path / KEPT).write_text(text)
    with pytest.raises(DataError, match="holds no judged pairs of this version"):
        read_side(tmp_path)
    pl.DataFrame({"id": ["a"]}).write_parquet(tmp_path / KEPT)
    with pytest.raises(DataError, match="holds no judged pairs of this version"):
        read_side(tmp_path)


@pytest.mark.parametrize("text", [None, "- a list", "a: [", "name: 3"])
def test_a_run_without_its_recipe_is_refused(tmp_path: Path, text: str | None) -> None:
    recipe = run(tmp_path / "run") / "recipe.yaml"
    recipe.unlink()
    if text is not None:
        recipe.write_text(text)
    with pytest.raises(DataError, match="recipe"):
        compared(*[read_side(recipe.parent)] * 2)


def test_one_run_alone_is_nothing_to_compare() -> None:
    with pytest.raises(RecipeError, match="name two runs"):
        compared(in_memory("a", judged("dev")))


def test_a_gate_over_a_column_that_no_pair_has_is_refused(comparison: Comparison) -> None:
    with pytest.raises(RecipeError, match="no pair has the column 'brand' for a gate; there are seen_type, language"):
        comparison.runs[0].under([Gate.parse("no slice brand worse than 0")])
    found = comparison.runs[1].under([Gate.parse("no slice seen_type worse than 0")]).gates[0]
    assert {failure.slice for failure in found.failures} == {"QC seen", "QC unseen", "QI seen", "QI unseen"}


def test_every_figure_of_the_json_stands_in_the_page(comparison: Comparison) -> None:
    html = compare_page(comparison)
    shown = re.findall(r"<td>(.*?)</td>", html)
    rows = ["|".join(re.findall(r"<td>(.*?)</td>", row)) for row in re.findall(r"<tr><th scope=\"row\">.*</tr>", html)]
    slices = [
        each
        for found in comparison.to_json()["runs"]
        for task in found["tasks"].values()
        for each in (task, *(inner for column in task["slices"].values() for inner in column.values()))
    ]
    assert len(slices) == 2 * 2 * (1 + 2 + 3)
    for each in slices:
        base, new, change = each["base"], each["new"], each["difference"]
        low, high = change["interval"]
        start = f"{percent(base['f1'])}|{percent(new['f1'])}|{points(change['f1'])} ({points(low)} to {points(high)}): "
        end = f"|{each['gained']}|{each['lost']}|{escape(p_value(each['p_value']))}|{percent(base['all_positive_f1'])}|"
        assert any(row.startswith(start) and end in row for row in rows)
    for task in (task for found in comparison.to_json()["runs"] for task in found["tasks"].values()):
        for flip in (*task["flips"]["gained"], *task["flips"]["lost"]):
            assert flip["id"] in shown
            assert {decimal(flip["base"]), decimal(flip["new"])} <= set(shown)
    failures = [failure for found in comparison.runs for gate in found.gates for failure in gate.failures]
    assert failures
    assert all(str(failure) in html for failure in failures)
    for row in comparison.ablation:
        reached = row.tasks["QC"].out_of_fold
        assert reached is not None
        assert {f"{percent(reached.f1)} ± {percent(reached.deviation or 0)}", percent(reached.all_positive_f1)} <= {
            *shown
        }


def test_several_runs_stand_together_before_each_by_itself(comparison: Comparison) -> None:
    html = compare_page(comparison)
    for found in comparison.runs:
        low, high = found.overall.interval
        said = f"{points(found.overall.f1)} ({points(low)} to {points(high)}): "
        assert re.search(
            rf'scope="row">{re.escape(found.name)}</th><td>{re.escape(said)}.*<td>(holds|does not hold)</td>', html
        )
    assert html.index('id="overview"') < html.index('id="ablation"') < html.index('id="run-1"')
    assert 'id="overview"' not in compare_page(comparison.model_copy(update={"runs": comparison.runs[:1]}))


def test_the_page_needs_nothing_beside_itself_and_can_be_read_aloud(comparison: Comparison) -> None:
    html = compare_page(comparison)
    parsed = Parsed(html)
    tags = [tag for tag, _ in parsed.tags]
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)
    assert not {"script", "link", "img", "iframe"} & set(tags)
    assert all(table[0] == "caption" for table in parsed.tables)
    assert all(found.get("scope") in {"col", "row"} for tag, found in parsed.tags if tag == "th")
    labelled = [found for tag, found in parsed.tags if tag == "div" and found.get("role") == "img"]
    assert len(labelled) == tags.count("svg") == 4
    assert all(found.get("aria-label") for found in labelled)
    assert "were simulated" in html


def test_the_command_writes_the_page_and_ends_with_1_when_a_gate_fails(shopglot: Command, tmp_path: Path) -> None:
    old, new = run(tmp_path / "old", skill=2.0), run(tmp_path / "new", skill=0.3)
    out = tmp_path / "out"
    failed = shopglot("compare", old, new, "--out", out, "--gate", "no language worse than -0.005 at 95%")
    assert failed.code == 1
    assert "does not hold: no language worse than -0.005 at 95%" in failed.out
    assert "QC fr: worse" in failed.out
    held = shopglot("compare", old, new, "--out", out, "--gate", "overall not worse than -0.9", "--on", "dev")
    assert held.code == 0
    assert "holds: overall not worse than -0.9" in held.out
    tree = read_json(out / "compare.json")
    assert tree["holds"] is True
    assert tree["runs"][0]["tasks"]["QC"]["difference"]["count"] == 300
    assert {path.name for path in out.iterdir()} == {"compare.json", "compare.html", "ablation.md"}


def test_bad_input_ends_with_2_and_one_sentence_and_leaves_an_earlier_comparison_alone(
    shopglot: Command, tmp_path: Path
) -> None:
    old, new, out = run(tmp_path / "old"), run(tmp_path / "new", skill=2.0), tmp_path / "out"
    compare([old, new], out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    refused(shopglot("compare", old, new, "--out", out, "--gate", "be good"), "write, for example")
    refused(shopglot("compare", old, tmp_path / "gone", "--out", out), "no run or scored file")
    other = run_folder(tmp_path / "other", both_tasks("dev", queries=20))
    refused(shopglot("compare", old, other, "--out", out), "no score for 400 of the 600 pairs")
    refused(shopglot("compare", old, new, "--out", old), "holds other files")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
