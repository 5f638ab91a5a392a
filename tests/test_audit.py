"""The audit of a finished run, from its scores to the run that takes its review back."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shopglot import cli
from shopglot.config import Recipe, load_recipe
from shopglot.core.errors import DataError, RecipeError
from shopglot.core.files import read_json
from shopglot.jobs import audit_run, audit_split, review_file_of
from shopglot.pack.record import SCORES
from shopglot.pipeline import gather, run

Edit = Callable[[pl.DataFrame], pl.DataFrame]


def recipe(learner: dict[str, Any] | None = None, **data: Any) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "small",
            "data": data or {"simulate": {"pairs": 800, "seed": 7, "label_noise": 0.1}},
            "curate": {"correct_language": False},
            "fold": {"folds": 2, "tune": 0.2, "test": 0.2, "near_duplicate_limit": 1},
            "report": {"bootstrap": 100},
            "learn": [learner or {"learner": "lexical"}],
        }
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "small"
    run(recipe(), folder)
    return folder


@pytest.fixture
def copied(ran: Path, tmp_path: Path) -> Path:
    return shutil.copytree(ran, tmp_path / "run")


def damaged(folder: Path, edit: Edit) -> Path:
    edit(pl.read_parquet(folder / SCORES)).write_parquet(folder / SCORES)
    return folder


def test_an_audit_lists_its_share_of_the_labels_and_measures_itself_where_the_truth_is_known(
    ran: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in ran.rglob("*") if path.is_file()}
    audited = audit_run(ran, tmp_path / "review.csv", budget=0.2)
    listed = pl.read_csv(tmp_path / "review.csv")
    assert listed.height == audited.listed == round(0.2 * audited.labels.suspects.height)
    assert audited.known is not None
    assert audited.known.recall > 0.2  # better than a list drawn by chance
    assert 0 < audited.known.flipped < audited.known.everywhere
    assert audited.labels.unscored > 0
    assert {path: path.read_bytes() for path in ran.rglob("*") if path.is_file()} == before


def test_a_review_file_that_is_there_is_not_audited_again(ran: Path, tmp_path: Path) -> None:
    review = review_file_of(ran, tmp_path / "review.csv", budget=0.05)
    begun = pl.read_csv(review).with_columns(action=pl.lit("keep"))
    begun.write_csv(review)
    assert review_file_of(ran, review, budget=0.2) == review
    assert pl.read_csv(review).equals(begun)


def test_a_run_takes_the_edited_review_back_and_another_audit_goes_on_from_there(ran: Path, tmp_path: Path) -> None:
    audit_run(ran, tmp_path / "review.jsonl", budget=0.1)
    listed = pl.read_ndjson(tmp_path / "review.jsonl").with_columns(action=pl.lit("flip"))
    listed.write_ndjson(tmp_path / "edited.jsonl")
    train, dev = ([str(ran / "data" / f"{part}_{task}.txt") for task in ("QC", "QI")] for part in ("train", "dev"))
    corrected = recipe(train=train, dev=dev, corrections=[str(tmp_path / "edited.jsonl")])
    report = run(corrected, tmp_path / "again")
    data = report.facts["data"]
    assert isinstance(data, dict)
    assert data["train"]["relabelled"] == listed.height  # type: ignore[index,call-overload]
    flipped = gather(corrected, tmp_path / "again").train.frame.join(listed, on="id")
    assert flipped.select((pl.col("label") != pl.col("label_right")).all()).item()
    audited = audit_run(tmp_path / "again", tmp_path / "second.csv", budget=1)
    assert audited.known is None
    assert not set(audited.labels.suspects["id"]) & set(listed["id"])
    (tmp_path / "edited.jsonl").write_text("")
    with pytest.raises(DataError, match="is empty"):
        audit_run(tmp_path / "again", tmp_path / "third.csv", budget=1)


def test_review_files_stand_beside_the_recipe_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(recipe(train=["a.csv"], corrections=["b.csv"]).to_yaml())
    assert load_recipe(tmp_path / "recipe.yaml").data.corrections == (tmp_path / "b.csv",)


def test_rows_that_count_less_are_told_to_learners_that_cannot_heed_it(
    ran: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    audit_run(ran, tmp_path / "review.csv", budget=0.05)
    listed = pl.read_csv(tmp_path / "review.csv", infer_schema=False)
    listed.with_columns(action=pl.lit("weight 0.5")).write_csv(tmp_path / "edited.csv")
    train = [str(ran / "data" / f"train_{task}.txt") for task in ("QC", "QI")]
    for kind, told in (("lexical", False), ("encoder", True)):
        caplog.clear()
        asked = recipe({"learner": kind}, train=train, corrections=[str(tmp_path / "edited.csv")])
        weights = gather(asked, tmp_path / kind).train["weight"]
        assert (weights == 0.5).sum() == listed.height
        assert ("encoder counts every row alike" in caplog.text) is told


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda scores: scores[:-1], r"lacks the scores of 'lexical' for 1 of \d+ pairs, such as 'Q"),
        (lambda scores: scores.with_columns(score=float("nan")), "is missing, NaN or outside"),
        (lambda scores: pl.concat([scores, scores[:1]]), "has two out-of-fold scores"),
        (
            lambda scores: scores.with_columns(id="id" + pl.col("id")),
            "is no training pair of .*run; it is of another run",
        ),
        (lambda scores: scores.drop("fold"), "out-of-fold scores have the columns"),
    ],
    ids=["missing", "nan", "twice", "foreign", "columns"],
)
def test_scores_that_are_not_those_of_the_run_are_refused_and_nothing_is_written(
    copied: Path, tmp_path: Path, edit: Edit, sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        audit_run(damaged(copied, edit), tmp_path / "review.csv", budget=0.1)
    assert not (tmp_path / "review.csv").exists()


def test_a_folder_without_a_finished_run_is_refused(copied: Path, tmp_path: Path) -> None:
    (copied / SCORES).write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match=r"out_of_fold\.parquet is damaged"):
        audit_run(copied, tmp_path / "review.csv", budget=0.1)
    (copied / SCORES).unlink()
    with pytest.raises(DataError, match=r"is no finished run, for it has no out_of_fold\.parquet"):
        audit_run(copied, tmp_path / "review.csv", budget=0.1)
    with pytest.raises(DataError, match=r"is no finished run, for it has no recipe\.yaml"):
        audit_run(tmp_path / "nowhere", tmp_path / "review.csv", budget=0.1)


def test_a_run_over_other_data_than_now_is_refused(copied: Path, tmp_path: Path) -> None:
    files = read_json(copied / "files.json")
    (copied / "files.json").write_text(str(dict.fromkeys(files, "0")).replace("'", '"'))
    with pytest.raises(DataError, match="the files have changed since"):
        audit_run(copied, tmp_path / "review.csv", budget=0.1)


def test_corrections_of_other_files_stop_a_run_before_it_learns(ran: Path, tmp_path: Path) -> None:
    audit_run(ran, tmp_path / "review.csv", budget=0.1)
    other = recipe(simulate={"pairs": 800, "seed": 8, "label_noise": 0.1}, corrections=[str(tmp_path / "review.csv")])
    with pytest.raises(DataError, match=r"review\.csv line \d+: .* is this the review of other files"):
        run(other, tmp_path / "run")
    assert not (tmp_path / "run" / "models").exists()


def test_a_split_is_audited_from_its_files(ran: Path, tmp_path: Path) -> None:
    files = [ran / "data" / f"{part}_QC.txt" for part in ("train", "dev")]
    parts = [pl.read_ndjson(file).select("id", split=pl.lit(file.name.partition("_")[0])) for file in files]
    pl.concat(parts).write_csv(tmp_path / "split.csv")
    found = audit_split(files, tmp_path / "split.csv")
    shares = dict(found.select("key", "share").rows())
    assert shares["query"] < 0.05 < shares["subtree"]  # the simulation keeps queries apart and not types
    deeper = audit_split(files, tmp_path / "split.csv", category_levels=3)
    assert dict(deeper.select("key", "share").rows())["subtree"] < shares["subtree"]


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(sys, "argv", ["shopglot", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_the_commands_print_what_was_found(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "audit", copied) == 0
    said = capfd.readouterr().out
    assert "small: doubtful labels" in said
    assert "a recall of" in said
    assert f"review: {copied / 'review.csv'}" in said
    (copied / "review.csv").write_text("edited")
    assert command(monkeypatch, "audit", copied) == 2
    assert "is there already and holds something else" in capfd.readouterr().err
    file = copied / "data" / "train_QC.txt"
    pl.read_ndjson(file).select("id", fold=pl.col("id") % 2).write_csv(tmp_path / "split.csv")
    assert command(monkeypatch, "audit-split", file, "--split", tmp_path / "split.csv") == 0
    assert "query group" in capfd.readouterr().out
    assert command(monkeypatch, "audit-split", file, "--split", tmp_path / "split.csv", "--category-levels", "17") == 2


def test_a_budget_is_a_share(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command(monkeypatch, "audit", ran, "--budget", "8") == 2


def test_auditing_needs_cleanlab_and_says_so(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.rank", None)
    with pytest.raises(RecipeError, match="needs cleanlab"):
        audit_run(ran, tmp_path / "review.csv", budget=0.1)
