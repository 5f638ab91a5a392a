import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import f1_score

from shopglot.config import Recipe
from shopglot.core.errors import BundleError, DataError, RecipeError
from shopglot.core.files import read_json
from shopglot.core.pair import TASKS, Pair
from shopglot.jobs import evaluate_file, explain, plan_learners, score_files
from shopglot.learn.gpus import GPUS
from shopglot.pack.bundle import Bundle
from shopglot.pipeline import gather, run
from shopglot.report.summary import Report

pytestmark = pytest.mark.usefixtures("full_precision")
ROWS: list[dict[str, Any]] = [
    {"id": 7, "task": "QC", "language": "en", "origin_query": "TEA  pot", "category_path": "Food,Tea", "label": 1},
    {"id": 3, "task": "QC", "language": "fr", "origin_query": "", "category_path": "food,tea", "label": 0},
    {"id": 7, "task": "QI", "language": "en", "origin_query": "tea", "item_title": None, "label": 1},
    {"id": 7, "task": "QI", "language": "vn", "origin_query": "trà", "item_title": "Trà Xanh 100g", "label": 0},
    {"id": 3, "task": "QC", "language": "en", "origin_query": "wok", "category_path": "new shelf,woks", "label": 1},
]


def recipe(**parts: Any) -> Recipe:
    plain: dict[str, Any] = {
        "name": "small",
        "data": {"simulate": {"pairs": 600, "seed": 7}},
        "curate": {"correct_language": False},
        "fold": {"folds": 2, "tune": 0.2, "qc": "query", "near_duplicate_limit": 1},
        "report": {"bootstrap": 100, "slices": ["seen_type"]},
        "learn": [{"learner": "lexical"}],
    }
    return Recipe.model_validate(plain | parts)


@dataclass(frozen=True, eq=False, slots=True)
class Ran:
    """A finished run."""

    recipe: Recipe
    folder: Path
    report: Report

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, full_precision: None, tiny_bert: Path) -> Ran:
    embedding = {"learner": "embedding", "model": str(tiny_bert), "hidden": [4], "networks": 1}
    small = recipe(learn=[{"learner": "lexical"}, embedding])
    folder = tmp_path_factory.mktemp("runs") / "small"
    return Ran(small, folder, run(small, folder))


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level("INFO", logger="shopglot"):
        yield caplog


def rows_file(path: Path, rows: list[dict[str, Any]]) -> Path:
    table = pl.DataFrame(rows, infer_schema_length=None)
    match path.suffix:
        case ".parquet":
            table.write_parquet(path)
        case ".csv":
            table.write_csv(path)
        case _:
            table.write_ndjson(path)
    return path


def read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path)


def test_a_run_leaves_all_that_shows_how_it_came_about(ran: Ran) -> None:
    left = {path.name for path in ran.folder.iterdir()}
    kept = {
        "recipe.yaml",
        "environment.json",
        "folds",
        "out_of_fold.parquet",
        "judged.parquet",
        "report.json",
        "bundle",
    }
    assert kept <= left
    assert "<html" in (ran.folder / "report.html").read_text(encoding="utf-8")
    assert not list(ran.folder.rglob("*.part"))


def test_the_report_has_the_keys_that_are_documented(ran: Ran) -> None:
    tree = read_json(ran.folder / "report.json")
    documented = {"name", "measured_on", "f1_avg", "tasks", "evidence", "learners", "differences", "gap", "mistakes"}
    assert set(tree) == documented | {"translation", "decisions", "facts"}
    assert list(tree["decisions"]["QC"]["choices"]) == ["0.5", "none", "language", "category"]
    assert tree["decisions"]["QC"]["choices"]["none"]["f1"] == tree["evidence"]["out-of-fold"]["QC"]["f1"]
    assert {"all", "en"} <= set(tree["decisions"]["QC"]["unlabelled"]["languages"])
    assert {"language", "script", "seen_type"} <= set(tree["mistakes"]["QI"])
    assert tree["translation"] is None
    assert set(tree["evidence"]) == {"out-of-fold", "test", "dev"}
    assert {"f1", "f1_interval", "pr_auc", "mcc", "all_positive_f1", "threshold", "slices"} <= set(tree["tasks"]["QC"])
    assert {"language", "english", "script", "seen_in_training", "seen_type"} <= set(tree["tasks"]["QI"]["slices"])
    assert "seen_in_training" not in tree["evidence"]["out-of-fold"]["QI"]["slices"]
    assert set(tree["learners"]) == {"lexical", "embedding"}
    assert set(tree["facts"]) == {"data", "folds", "stages", "seed"}


def test_the_bundle_has_a_card_with_the_figures_of_the_report_that_its_manifest_seals(ran: Ran) -> None:
    card = (ran.bundle / "README.md").read_text(encoding="utf-8")
    assert f"F1avg, the mean of the tasks' F1, is {100 * ran.report.f1_avg:.1f} %" in card
    assert "no labels in ar" in card
    assert str(ran.folder) not in card
    (ran.bundle / "README.md").write_text(card + " ", encoding="utf-8")
    with pytest.raises(BundleError, match=r"README.md has changed since the bundle was written"):
        Bundle.load(ran.bundle)
    (ran.bundle / "README.md").write_text(card, encoding="utf-8")


def test_the_worst_mistakes_of_a_run_are_beside_pairs_that_it_learned_from(ran: Ran) -> None:
    assert ran.report.measured_on == "dev"
    train = {task: read(ran.folder / "data" / f"train_{task}.txt")["origin_query"].str.to_lowercase() for task in TASKS}
    shown = 0
    for task, columns in ran.report.mistakes.items():
        for each in (each for values in columns.values() for each in values.values()):
            for mistake in (*each.false_positives, *each.false_negatives):
                assert mistake.threshold is not None
                assert (mistake.probability >= mistake.threshold) != bool(mistake.label)
                shown += len(mistake.nearest)
                assert all(near.query in set(train[task]) for near in mistake.nearest)
            assert max(len(each.false_positives), len(each.false_negatives)) <= 5
    assert shown > 10


def test_mistakes_out_of_fold_name_no_pairs_and_no_threshold_for_each_fold_has_its_own(tmp_path: Path) -> None:
    made = run(recipe(report={"bootstrap": 100, "mistakes": 0}), tmp_path / "made")
    assert made.mistakes == {}
    train = [str(tmp_path / "made" / "data" / f"train_{task}.txt") for task in TASKS]
    only = {"folds": 2, "tune": 0.2, "test": 0.0, "qc": "query", "near_duplicate_limit": 1}
    report = run(recipe(data={"train": train}, fold=only, report={"bootstrap": 100}), tmp_path / "run")
    assert report.measured_on == "out-of-fold"
    slices = [found for columns in report.mistakes.values() for values in columns.values() for found in values.values()]
    every = [each for found in slices for each in (*found.false_positives, *found.false_negatives)]
    assert every
    assert {(each.threshold, each.nearest) for each in every} == {(None, ())}


def test_an_explanation_starts_from_the_probability_that_scoring_gives(ran: Ran, tmp_path: Path) -> None:
    pair = Pair(task="QC", query="TEA  pot", target="Food,Tea", language="en")
    attribution, threshold = explain(ran.bundle, pair)
    score_files(ran.bundle, [rows_file(tmp_path / "in.jsonl", ROWS[:1])], tmp_path / "scored.jsonl")
    scored = read(tmp_path / "scored.jsonl")
    assert attribution.probability == pytest.approx(scored["score"][0])
    assert threshold == pytest.approx(scored["threshold"][0])
    assert attribution.words["word"].to_list() == ["TEA", "pot", "Food", "Tea"]


def test_every_judged_pair_has_one_score_of_every_learner(ran: Ran) -> None:
    scores = pl.read_parquet(ran.folder / "out_of_fold.parquet")
    assert scores.group_by("id").agg(pl.col("model").sort())["model"].unique().to_list() == [["embedding", "lexical"]]
    assert scores.height == scores.n_unique(["id", "model"])


def test_a_finished_run_started_again_fits_nothing_and_reports_the_same(
    ran: Ran, logged: pytest.LogCaptureFixture
) -> None:
    written = {path: path.stat().st_mtime_ns for path in (ran.folder / "models").rglob("*.safetensors")}
    again = run(ran.recipe, ran.folder)
    assert not [line for line in logged.messages if line.startswith("fitting")]
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert again.evidence == ran.report.evidence
    assert again.thresholds == ran.report.thresholds


def test_another_recipe_does_not_write_into_the_folder_of_a_run(ran: Ran) -> None:
    with pytest.raises(RecipeError, match="holds a run of another recipe; choose another --out"):
        run(recipe(seed=18), ran.folder)


def test_a_refitted_model_ships_in_place_of_the_folds(tmp_path: Path) -> None:
    refitted = run(recipe(merge={"ship": "refit"}), tmp_path)
    assert refitted.thresholds.keys() == {"QC", "QI"}
    assert len(list((tmp_path / "bundle").rglob("QC.safetensors"))) == 1


def test_a_task_that_no_learner_learns_is_left_out_of_everything(tmp_path: Path) -> None:
    only = run(recipe(learn=[{"learner": "lexical", "tasks": ["QC"]}]), tmp_path)
    assert {task for kind in only.evidence.values() for task in kind} == {"QC"}
    with pytest.raises(BundleError, match="QC, not QI"):
        score_files(tmp_path / "bundle", [rows_file(tmp_path / "a.jsonl", ROWS)], tmp_path / "scored.jsonl")


def test_files_without_a_dev_part_are_reported_on_their_test_part(ran: Ran, tmp_path: Path) -> None:
    files = [str(ran.folder / "data" / f"train_{task}.txt") for task in ("QC", "QI")]
    report = run(recipe(data={"train": files}, report={"bootstrap": 100}), tmp_path)
    assert report.measured_on == "test"
    assert report.gap.keys() == {"QC", "QI"}


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("out", ["scored.jsonl", "scored.parquet"])
def test_every_row_comes_back_in_its_place_as_it_was_with_what_the_model_says(
    ran: Ran, tmp_path: Path, suffix: str, out: str
) -> None:
    given = rows_file(tmp_path / f"in{suffix}", [row | {"note": f"n{n}"} for n, row in enumerate(ROWS)])
    counts = score_files(ran.bundle, [given], tmp_path / out)
    table, before = read(tmp_path / out), pl.read_csv(given) if suffix == ".csv" else read(given)
    assert table.columns == [*before.columns, "score", "prediction", "threshold", "read", "flag"]
    as_text = [pl.col(before.columns).cast(pl.String).fill_null("")]
    assert table.select(as_text).rows() == before.select(as_text).rows()
    assert table["flag"].to_list() == [None, "empty query", "missing target", None, None]
    assert table["read"].to_list() == ["original", None, None, "original", "original"]
    assert (table["prediction"] == (table["score"] >= table["threshold"])).all()
    assert counts["rows"] == 5
    assert counts["relevant"] == table["prediction"].sum()


def test_a_row_without_a_text_to_judge_gets_the_prior_of_its_task(ran: Ran, tmp_path: Path) -> None:
    score_files(ran.bundle, [rows_file(tmp_path / "in.jsonl", ROWS)], tmp_path / "scored.jsonl")
    scores = read(tmp_path / "scored.jsonl")["score"]
    tasks = Bundle.load(ran.bundle).decision.tasks
    assert scores[1] == pytest.approx(tasks["QC"].prior)
    assert scores[2] == pytest.approx(tasks["QI"].prior)


def test_a_task_reads_what_its_learners_read_together(tmp_path: Path, tiny_bert: Path) -> None:
    english = {"learner": "embedding", "model": str(tiny_bert), "hidden": [4], "networks": 1, "queries": ["english"]}
    run(recipe(learn=[{"learner": "lexical"}, english | {"tasks": ["QC"]}], merge={"blend": "mean"}), tmp_path)
    formats = Bundle.load(tmp_path / "bundle").format
    assert {task: own.query for task, own in formats.items()} == {"QC": "both", "QI": "original"}


def test_rows_that_are_no_pairs_stand_beside_the_scored_ones(ran: Ran, tmp_path: Path) -> None:
    given = tmp_path / "in.jsonl"
    given.write_text("\n".join([json.dumps(ROWS[0]), "{broken", json.dumps(ROWS[4])]), encoding="utf-8")
    counts = score_files(ran.bundle, [given], tmp_path / "scored.jsonl")
    assert (counts["rows"], counts["quarantined"], read(tmp_path / "scored.jsonl").height) == (3, 1, 2)
    assert [row["line"] for row in read(tmp_path / "scored.quarantine.jsonl").rows(named=True)] == [2]


def test_scoring_a_scored_file_again_replaces_what_was_said(ran: Ran, tmp_path: Path) -> None:
    score_files(ran.bundle, [rows_file(tmp_path / "in.jsonl", ROWS)], tmp_path / "once.jsonl")
    score_files(ran.bundle, [tmp_path / "once.jsonl"], tmp_path / "twice.jsonl")
    assert read(tmp_path / "twice.jsonl").equals(read(tmp_path / "once.jsonl"))


def test_parts_of_another_size_change_no_score_beyond_its_last_digits(ran: Ran, tmp_path: Path) -> None:
    files = [ran.folder / "data" / f"dev_{task}.txt" for task in ("QC", "QI")]
    tables = []
    for part_mb in (8.0, 0.004):
        score_files(ran.bundle, files, tmp_path / "scored.parquet", part_mb=part_mb)
        tables.append(read(tmp_path / "scored.parquet"))
    assert tables[1]["score"].to_numpy() == pytest.approx(tables[0]["score"].to_numpy(), abs=1e-6)
    assert tables[1].drop("score").equals(tables[0].drop("score"))


def test_what_is_evaluated_is_what_scikit_learn_says(ran: Ran, tmp_path: Path) -> None:
    files = [ran.folder / "data" / f"dev_{task}.txt" for task in ("QC", "QI")]
    score_files(ran.bundle, files, tmp_path / "scored.parquet")
    report = evaluate_file(tmp_path / "scored.parquet", ("seen_type",))
    table = read(tmp_path / "scored.parquet")
    for task in ("QC", "QI"):
        own = table.filter(pl.col("task") == task)
        assert report.tasks[task].f1 == pytest.approx(f1_score(own["label"], own["prediction"]))
        assert report.thresholds[task] == pytest.approx(own["threshold"][0])
        assert set(report.tasks[task].slices["seen_type"]) == set(own["seen_type"].cast(pl.String))
    assert report.f1_avg == pytest.approx(np.mean([report.tasks[task].f1 for task in ("QC", "QI")]))


def test_dev_files_scored_by_the_bundle_are_judged_as_in_the_report_of_the_run(tmp_path: Path) -> None:
    reported = run(recipe(), tmp_path)
    files = [tmp_path / "data" / f"dev_{task}.txt" for task in ("QC", "QI")]
    score_files(tmp_path / "bundle", files, tmp_path / "scored.jsonl")
    evaluated = evaluate_file(tmp_path / "scored.jsonl")
    assert {task: each.f1 for task, each in evaluated.tasks.items()} == pytest.approx(
        {task: each.f1 for task, each in reported.tasks.items()}
    )


def test_a_file_that_was_never_scored_or_has_no_labels_cannot_be_evaluated(ran: Ran, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lacks score, prediction, threshold; give a file that"):
        evaluate_file(rows_file(tmp_path / "in.jsonl", ROWS))
    unlabelled = rows_file(tmp_path / "u.jsonl", [{k: v for k, v in row.items() if k != "label"} for row in ROWS])
    score_files(ran.bundle, [unlabelled], tmp_path / "scored.jsonl")
    with pytest.raises(DataError, match="has no labels to evaluate against"):
        evaluate_file(tmp_path / "scored.jsonl")


LLM = {"learner": "llm", "model": "google/gemma-3-270m", "tasks": ["QC"], "stages": [{"epochs": 1, "batch_size": 1}]}
"""One optimizer step per pair."""


def planned_steps(data: dict[str, Any], pairs: int | None = None, **parts: Any) -> int:
    planned = plan_learners(recipe(data=data, learn=[{"learner": "lexical"}, LLM], **parts), GPUS["l4"], pairs=pairs)
    assert [*planned] == ["llm"]
    return planned["llm"].steps


def test_a_plan_counts_the_labelled_pairs_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    rows = [{**ROWS[0], "id": number, "label": None if number % 2 else 1} for number in range(200)]
    path.write_text("\n".join(json.dumps(row) for row in [*rows, *ROWS[2:4]]), encoding="utf-8")
    # Of 100 labelled pairs of the task 70 are dealt to two folds, of which one trains.
    assert planned_steps({"train": [path]}) == 2 * 35
    assert planned_steps({"train": [path]}, merge={"ship": "refit"}) == 2 * 35 + 70


def test_a_plan_takes_the_pairs_that_will_be_simulated() -> None:
    assert planned_steps({"simulate": {"pairs": 805}}) == 2 * 105


def test_a_plan_takes_the_pairs_it_is_told_of() -> None:
    assert planned_steps({"train": ["elsewhere.csv"]}, pairs=400) == 2 * 70


@pytest.mark.parametrize("given", ["scored.jsonl", "scored.quarantine.jsonl"])
def test_scoring_leaves_its_input_as_it_is(ran: Ran, tmp_path: Path, given: str) -> None:
    path = rows_file(tmp_path / given, ROWS)
    before = path.read_bytes()
    with pytest.raises(DataError, match="is an input that would be replaced"):
        score_files(ran.bundle, [path], tmp_path / "scored.jsonl")
    assert path.read_bytes() == before


def test_files_of_one_name_are_told_apart_when_one_has_changed(ran: Ran, tmp_path: Path) -> None:
    files = [tmp_path / part / "train.txt" for part in ("p1", "p2")]
    for file, task in zip(files, ("QC", "QI"), strict=True):
        file.parent.mkdir()
        file.write_bytes((ran.folder / "data" / f"train_{task}.txt").read_bytes())
    same = recipe(data={"train": files})
    gather(same, tmp_path / "run")
    assert set(read_json(tmp_path / "run" / "files.json")) == {"p1/train.txt", "p2/train.txt"}
    files[0].write_bytes(files[0].read_bytes() + b"\n")
    with pytest.raises(DataError, match="the files have changed"):
        gather(same, tmp_path / "run")


def test_dev_files_of_a_task_that_no_learner_learns_are_left_out(ran: Ran, tmp_path: Path) -> None:
    train = [str(ran.folder / "data" / f"train_{task}.txt") for task in ("QC", "QI")]
    files = {"train": train, "dev": [str(ran.folder / "data" / "dev_QI.txt")]}
    report = run(recipe(data=files, learn=[{"learner": "lexical", "tasks": ["QC"]}]), tmp_path)
    assert report.measured_on == "test"
    assert {task for kind in report.evidence.values() for task in kind} == {"QC"}


def test_the_prior_is_the_rate_of_all_training_pairs(ran: Ran) -> None:
    for task, own in Bundle.load(ran.bundle).decision.tasks.items():
        labels = read(ran.folder / "data" / f"train_{task}.txt")["label"]
        assert own.prior == pytest.approx(labels.mean(), abs=0.03)


def test_a_tune_part_too_small_to_calibrate_on_is_said_before_learning_and_in_the_report(
    logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    run(recipe(data={"simulate": {"pairs": 300, "seed": 7}}), tmp_path)
    said = [line for line in logged.messages if "rest on the" in line]
    assert said
    assert logged.messages.index(said[0]) < logged.messages.index("learn …")
    assert set(said) <= set(read_json(tmp_path / "report.json")["facts"]["folds"]["notes"])


def test_scoring_says_when_each_stage_begins_and_ends(
    ran: Ran, logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    score_files(ran.bundle, [rows_file(tmp_path / "in.jsonl", ROWS)], tmp_path / "scored.jsonl")
    for stage in ("load", "curate", "score"):
        assert f"{stage} …" in logged.messages
        assert any(line.startswith(f"{stage} took") for line in logged.messages)


def test_paths_are_taken_as_text_too(ran: Ran, tmp_path: Path) -> None:
    given, out = rows_file(tmp_path / "in.jsonl", ROWS[:3]), tmp_path / "scored.jsonl"
    assert score_files(str(ran.bundle), [str(given)], str(out), taxonomy=[str(ran.folder / "data" / "taxonomy.txt")])
    assert evaluate_file(str(out), ["id"]).tasks
