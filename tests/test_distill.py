"""A finished run teaches a student, from its scores to the student's bundle."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tokenizers import Tokenizer

import shopglot as package
from shopglot.config import Recipe, load_distill_settings, load_recipe
from shopglot.core.errors import DataError, RecipeError
from shopglot.core.files import read_json
from shopglot.distill import distill
from shopglot.enrich.negative_settings import NegativeSettings
from shopglot.learn.embedding import EmbeddingLearner
from shopglot.pack.distill import LABEL, OUT_OF_FOLD, UNLABELLED
from shopglot.pack.distill_settings import DistillSettings
from shopglot.pack.record import SCORES
from shopglot.pipeline import run
from tests.command import Command, refused
from tests.learn.doubles import Killed

pytestmark = pytest.mark.usefixtures("full_precision")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "teacher"
    content = {
        "name": "teacher",
        "data": {"simulate": {"pairs": 900, "seed": 7}},
        "curate": {"correct_language": False},
        "fold": {"folds": 2, "tune": 0.2, "test": 0.2, "near_duplicate_limit": 1},
        "report": {"bootstrap": 100, "slices": ["seen_type"]},
        "learn": [{"learner": "lexical"}],
    }
    run(Recipe.model_validate(content), folder)
    return folder


@pytest.fixture(scope="module")
def settings(tiny_bert: Path) -> DistillSettings:
    student = {
        "learner": "embedding",
        "name": "small",
        "model": str(tiny_bert),
        "layers": 1,
        "hidden": [8],
        "networks": 1,
    }
    return DistillSettings.model_validate({"name": "student", "student": [student]})


@pytest.fixture(scope="module")
def taught(teacher: Path, settings: DistillSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "student"
    dev = teacher / "data" / "dev_QC.txt"
    rows = pl.read_ndjson(dev).with_columns(origin_query="other " + pl.col("origin_query"))
    rows.write_ndjson(out.with_name("log.jsonl"))
    distill(teacher, settings, out, [out.with_name("log.jsonl")])
    return out


@pytest.fixture
def copied(teacher: Path, tmp_path: Path) -> Path:
    return shutil.copytree(teacher, tmp_path / "teacher")


def lessons(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "lessons.parquet")


def test_the_students_folder_holds_what_a_run_leaves(taught: Path) -> None:
    names = {path.name for path in taught.iterdir()}
    assert {"bundle", "report.html", "report.json", "judged.parquet", "lessons.parquet", "distill.json"} <= names
    assert [settings.name for settings in load_recipe(taught / "recipe.yaml").learn] == ["small"]
    report = read_json(taught / "report.json")
    assert report["measured_on"] == "dev"
    assert report["facts"]["lessons"][OUT_OF_FOLD] > 100


def test_the_students_bundle_is_calibrated_and_decides(taught: Path) -> None:
    bundle = package.load(taught / "bundle")
    decided = bundle.score([package.Pair(task="QC", query="wok", target="home,kitchen,wok")])
    assert decided.decision[0] == (decided.probability[0] >= decided.threshold[0])
    assert set(bundle.decision.tasks) == {"QC", "QI"}
    assert {each.calibration.kind for each in bundle.decision.tasks.values()} == {"temperature"}


def test_labelled_pairs_teach_out_of_fold_and_files_by_the_bundle(teacher: Path, taught: Path) -> None:
    table = lessons(taught)
    counts = dict(table["origin"].value_counts().iter_rows())
    assert set(counts) <= {OUT_OF_FOLD, LABEL, UNLABELLED}
    scored = set(pl.read_parquet(teacher / SCORES)["id"])
    assert set(table.filter(pl.col("origin") == OUT_OF_FOLD)["id"]) <= scored
    new = table.filter(pl.col("origin") == UNLABELLED)
    assert new.height
    assert new["label"].null_count() == new.height
    pairs = [
        package.Pair(**row) for row in new.select("task", "query", "target", "language", "english").rows(named=True)
    ]
    expected = package.load(teacher / "bundle").knowing(new["target"]).score(pairs).probability
    assert new["probability"].to_numpy() == pytest.approx(expected, abs=1e-9)


def test_teacher_and_student_stand_side_by_side_on_what_neither_learned_from(teacher: Path, taught: Path) -> None:
    found = read_json(taught / "distill.json")
    assert set(found["evidence"]) == {"dev", "test"}
    whole = found["evidence"]["dev"]["QC"]["all"]
    theirs, ours = (read_json(folder / "report.json")["tasks"]["QC"] for folder in (teacher, taught))
    assert whole["teacher"]["f1"] == pytest.approx(theirs["f1"])
    assert whole["student"]["mcc"] == pytest.approx(ours["mcc"])
    assert whole["f1"]["value"] == pytest.approx(ours["f1"] - theirs["f1"])
    low, high = whole["f1"]["interval"]
    assert low <= whole["f1"]["value"] <= high
    both = [pl.read_parquet(folder / "judged.parquet") for folder in (teacher, taught)]
    told, said = (each.filter(pl.col("evidence") == "dev", pl.col("task") == "QC").sort("id") for each in both)
    assert whole["flips"] == pytest.approx((told["decision"] != said["decision"]).mean())


def test_the_page_beside_it_shows_what_the_student_decides_otherwise(taught: Path) -> None:
    compared = read_json(taught / "compared" / "compare.json")
    found = read_json(taught / "distill.json")["evidence"][compared["measured_on"]]
    for task, new in compared["runs"][0]["tasks"].items():
        assert new["difference"]["f1"] == pytest.approx(found[task]["all"]["f1"]["value"])
        assert new["difference"]["interval"] == pytest.approx(found[task]["all"]["f1"]["interval"], abs=0.05)
    assert (taught / "compared" / "compare.html").is_file()


def test_a_finished_distillation_started_again_changes_nothing(
    teacher: Path, settings: DistillSettings, taught: Path
) -> None:
    before = (taught / "lessons.parquet").stat().st_mtime_ns, read_json(taught / "distill.json")
    distill(teacher, settings, taught, [taught.with_name("log.jsonl")])
    assert ((taught / "lessons.parquet").stat().st_mtime_ns, read_json(taught / "distill.json")) == before


def test_a_killed_distillation_goes_on_from_the_lessons_it_has(
    copied: Path, settings: DistillSettings, taught: Path, tmp_path: Path
) -> None:
    log = taught.with_name("log.jsonl")

    def killed(*_: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EmbeddingLearner, "fit_to", killed)
        with pytest.raises(Killed):
            distill(copied, settings, tmp_path / "out", [log])
    assert not (tmp_path / "out" / "bundle").exists()
    (copied / "bundle" / "scorer" / "scorer.json").write_text("{}")  # which is not asked again
    distill(copied, settings, tmp_path / "out", [log])
    assert read_json(tmp_path / "out" / "distill.json") == read_json(taught / "distill.json")


def test_made_pairs_are_judged_by_the_teacher_and_have_no_label(
    teacher: Path, settings: DistillSettings, tmp_path: Path
) -> None:
    distill(teacher, settings.model_copy(update={"made": NegativeSettings(per_positive=1)}), tmp_path / "out")
    new = lessons(tmp_path / "out").filter(pl.col("origin") == UNLABELLED)
    assert new["made_from"].is_in(lessons(tmp_path / "out")["id"].to_list()).all()
    assert new["label"].null_count() == new.height > 50
    assert np.ptp(new["probability"].to_numpy()) > 0


def test_several_students_are_blended_by_weights_from_the_tune_part(
    teacher: Path, settings: DistillSettings, tmp_path: Path
) -> None:
    (small,) = settings.student
    other = small.model_copy(update={"name": "other", "tasks": ("QC",), "seed": 9})
    found = distill(teacher, settings.model_copy(update={"student": (small, other)}), tmp_path / "out")
    weights = read_json(tmp_path / "out" / "bundle" / "scorer" / "scorer.json")["weights"]
    assert {task: set(own) for task, own in weights.items()} == {"QC": {"small", "other"}, "QI": {"small"}}
    assert sum(weights["QC"].values()) == pytest.approx(1)
    assert weights["QC"]["small"] != 0.5
    assert set(found.evidence["dev"]) == {"QC", "QI"}


@pytest.mark.parametrize("name", ["recipe.yaml", SCORES, "judged.parquet", "bundle/manifest.json"])
def test_an_unfinished_run_teaches_nobody(copied: Path, settings: DistillSettings, tmp_path: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(DataError, match=f"is no finished run, for it has no {name}"):
        distill(copied, settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_scores_of_another_run_teach_nobody(copied: Path, settings: DistillSettings, tmp_path: Path) -> None:
    scores = pl.read_parquet(copied / SCORES)
    scores.with_columns(id="other " + pl.col("id")).write_parquet(copied / SCORES)
    with pytest.raises(DataError, match="it is of another run"):
        distill(copied, settings, tmp_path / "out")
    scores[:-1].write_parquet(copied / SCORES)
    with pytest.raises(DataError, match="lacks the scores of 'lexical' for 1 of"):
        distill(copied, settings, tmp_path / "again")


def test_files_that_changed_since_the_run_teach_nobody(copied: Path, settings: DistillSettings, tmp_path: Path) -> None:
    files = read_json(copied / "files.json")
    (copied / "files.json").write_text(str(dict.fromkeys(files, "0")).replace("'", '"'))
    with pytest.raises(DataError, match=r"the files have changed since .*teacher was made"):
        distill(copied, settings, tmp_path / "out")


def test_a_students_folder_belongs_to_its_settings_and_its_teacher(
    copied: Path, settings: DistillSettings, tmp_path: Path
) -> None:
    distill(copied, settings, tmp_path / "out")
    with pytest.raises(RecipeError, match="holds a run of another recipe"):
        distill(copied, settings.model_copy(update={"labels": 0.5}), tmp_path / "out")
    scores = pl.read_parquet(copied / SCORES)
    scores.with_columns(score=1 - pl.col("score")).write_parquet(copied / SCORES)
    with pytest.raises(DataError, match=r"the files have changed since .*out was begun"):
        distill(copied, settings, tmp_path / "out")


def test_a_trimmed_student_knows_every_text_of_the_run(teacher: Path, tiny_bert: Path, tmp_path: Path) -> None:
    student = {"learner": "encoder", "name": "cut", "tasks": ["QC"], "model": str(tiny_bert), "steps": 1}
    wanted = DistillSettings.model_validate({"trim": True, "student": [{**student, "batch_size": 4}]})
    distill(teacher, wanted, tmp_path / "out")
    (tokenizer,) = (tmp_path / "out" / "bundle").rglob("tokenizer.json")
    kept = Tokenizer.from_file(str(tokenizer))
    whole = Tokenizer.from_file(str(tiny_bert / "tokenizer.json"))
    assert kept.get_vocab_size() < whole.get_vocab_size()
    dev = pl.read_ndjson(teacher / "data" / "dev_QC.txt")
    for text in pl.concat([dev["category_path"].str.replace_all(",", ", "), dev["origin_query"]]).unique():
        assert kept.encode(text).tokens == whole.encode(text).tokens
    assert not list((tmp_path / "out" / "models").glob("*.work"))


def test_the_command_says_what_the_student_keeps(
    teacher: Path, tiny_bert: Path, tmp_path: Path, shopglot: Command
) -> None:
    (tmp_path / "student.yaml").write_text(
        f"student: [{{learner: embedding, name: small, tasks: [QC], model: {tiny_bert}, networks: 1, hidden: [8]}}]"
    )
    ended = shopglot("distill", teacher, tmp_path / "student.yaml", "--out", tmp_path / "out", "--set", "labels=0.5")
    assert ended.code == 0
    assert "student beside its teacher" in ended.out
    assert "dev QC" in ended.out
    assert "dev QI" not in ended.out
    assert f"bundle: {tmp_path / 'out' / 'bundle'}" in ended.out
    refused(shopglot("distill", tmp_path, "--out", tmp_path / "other"), "is no finished run")


def test_settings_of_a_student_are_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "student.yaml"
    path.write_text("labels: 0.5\nmargins: 0.5\n")
    with pytest.raises(RecipeError, match=r"unknown key 'margins'; did you mean 'margin'"):
        load_distill_settings(path)
    path.write_text("margin: 0.5\n")
    with pytest.raises(RecipeError, match="`margin` is for the learner `encoder`"):
        load_distill_settings(path)
    path.write_text("trim: true\n")
    with pytest.raises(RecipeError, match="`trim` is for the learner `encoder`"):
        load_distill_settings(path)
    with pytest.raises(RecipeError, match="`spare` is what `trim` keeps; set `trim: true`"):
        load_distill_settings(None, ["spare=20"])
    with pytest.raises(RecipeError, match="'a/b' is no name of a learner"):
        load_distill_settings(None, ["student.0.name=a/b"])
    with pytest.raises(RecipeError, match=r"unknown key 'student\.0\.layer'"):
        load_distill_settings(None, ["student.0.layer=2"])
    assert load_distill_settings(None, ["labels=0.25"]) == DistillSettings(labels=0.25)
