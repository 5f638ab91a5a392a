import re
from pathlib import Path

import polars as pl
import pytest

from shopglot.core.category import CategoryPath
from shopglot.core.errors import RecipeError
from shopglot.demo.lexicon import load_lexicon
from shopglot.demo.simulate import LANGUAGES_OF, Simulated, simulate

PAIRS = 20_000
TARGET = {"QC": "category_path", "QI": "item_title"}
POSITIVE = {"QC": 0.6895, "QI": 0.6243}
TYPES = {kind.name: kind for kind in load_lexicon().types}
NEAR = {value.name: value.near for value in load_lexicon().values}
SPLITS = [("train", "QC"), ("dev", "QC"), ("train", "QI"), ("dev", "QI")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return simulate(tmp_path_factory.mktemp("simulated"), pairs=PAIRS, seed=7)


def _read(path: Path) -> pl.DataFrame:
    return pl.read_ndjson(path, infer_schema_length=None)


def _pairs(made: Simulated, split: str, task: str) -> pl.DataFrame:
    rows = _read(made.files[f"{split}_{task}"]).rename({TARGET[task]: "target"})
    truth = _read(made.truth).filter((pl.col("task") == task) & (pl.col("split") == split))
    return rows.join(truth.drop("task"), on="id", suffix="_true", validate="1:1")


def _stated(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(";")) if text else {}


def _fits(wanted: dict[str, str], offered: dict[str, str]) -> bool:
    return all(offered.get(kind) == value for kind, value in wanted.items())


def test_every_label_of_a_category_follows_from_the_types_own_path(made: Simulated) -> None:
    for split in ("train", "dev"):
        for row in _pairs(made, split, "QC").iter_rows(named=True):
            inside = TYPES[row["type"]].path.is_within(CategoryPath.parse(row["target"]))
            assert row["label"] == row["label_true"] == inside


def test_every_label_of_an_item_follows_from_its_type_and_attributes(made: Simulated) -> None:
    for split in ("train", "dev"):
        for row in _pairs(made, split, "QI").iter_rows(named=True):
            fits = row["type"] == row["target_type"] and _fits(_stated(row["stated"]), _stated(row["offered"]))
            assert row["label"] == row["label_true"] == fits


def test_each_kind_of_negative_is_what_it_says(made: Simulated) -> None:
    for row in _read(made.truth).iter_rows(named=True):
        wanted, target = TYPES[row["type"]], TYPES[row["target_type"]]
        related = wanted.name == target.accessory_of or target.name == wanted.accessory_of
        is_kind = {
            "match": wanted == target,
            "sibling": wanted != target and wanted.path.parent == target.path.parent,
            "cousin": wanted != target and wanted.path.levels[0] == target.path.levels[0],
            "accessory": related,
            "random": wanted.path.levels[0] != target.path.levels[0],
        }.get(row["kind"], wanted == target)
        assert is_kind, row


def test_an_attribute_negative_differs_in_that_attribute_and_by_more_than_a_shade(made: Simulated) -> None:
    misses = _read(made.truth).filter(pl.col("kind").is_in(["colour", "size", "material", "audience", "model", "code"]))
    assert set(misses["kind"]) == {"colour", "size", "material", "audience", "model", "code"}
    for row in misses.iter_rows(named=True):
        wanted, offered = _stated(row["stated"])[row["kind"]], _stated(row["offered"])[row["kind"]]
        assert wanted != offered
        assert offered not in NEAR.get(wanted, set())


def test_the_files_do_not_say_how_a_pair_was_made(made: Simulated) -> None:
    fields = {"id", "task", "language", "origin_query", "translated_query", "machine_translation", "concept", "label"}
    for split, task in SPLITS:
        extra = {"seen_type"} if split == "dev" else set()
        assert set(_read(made.files[f"{split}_{task}"]).columns) == fields | extra | {TARGET[task]}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    one, same, other = (
        simulate(tmp_path / name, pairs=600, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    for name, file in one.files.items():
        assert file.read_bytes() == same.files[name].read_bytes()
        assert file.read_bytes() != other.files[name].read_bytes()
    assert one.truth.read_bytes() == same.truth.read_bytes()


@pytest.mark.parametrize("pairs", [100, 101, 997])
def test_exactly_as_many_pairs_are_written_as_asked_for(tmp_path: Path, pairs: int) -> None:
    made = simulate(tmp_path, pairs=pairs, seed=0)
    assert sum(made.rows.values()) == pairs
    assert {name: _read(file).height for name, file in made.files.items()} == made.rows


def test_ids_are_unique_within_a_task_across_both_splits(made: Simulated) -> None:
    assert not _read(made.truth).select(pl.struct("task", "id").is_duplicated().any()).item()


@pytest.mark.parametrize(("split", "task"), SPLITS)
def test_positive_rates_are_those_of_the_real_data(made: Simulated, split: str, task: str) -> None:
    rows = _read(made.files[f"{split}_{task}"])
    assert abs(rows["label"].to_numpy().mean() - POSITIVE[task]) < 0.03
    by_language = rows.group_by("language").agg(pl.col("label").mean())["label"]
    low, high = {"QC": (0.585, 0.787), "QI": (0.547, 0.682)}[task]
    assert by_language.is_between(low - 0.03, high + 0.03).all()


@pytest.mark.parametrize(("split", "task"), SPLITS)
def test_languages_have_equal_shares_and_vietnamese_is_written_vn(made: Simulated, split: str, task: str) -> None:
    rows = _read(made.files[f"{split}_{task}"])
    shares = dict(rows["language"].value_counts().iter_rows())
    expected = {{"vi": "vn"}.get(language, language) for language in LANGUAGES_OF[task, split]}  # type: ignore[index]
    assert set(shares) == expected
    assert max(shares.values()) - min(shares.values()) <= 1


def test_types_withheld_are_a_fifth_and_appear_only_in_dev(made: Simulated) -> None:
    truth = _read(made.truth)
    train = truth.filter(pl.col("split") == "train")
    shown = set(train["type"]) | set(train["target_type"])
    assert len(shown) <= 0.8 * len(TYPES)
    for task in TARGET:
        dev = _pairs(made, "dev", task)
        assert set(dev.filter(~pl.col("seen_type"))["type"]).isdisjoint(shown)
        assert set(dev.filter("seen_type")["type"]) <= shown


@pytest.mark.parametrize("task", ["QC", "QI"])
def test_dev_repeats_no_query_of_train(made: Simulated, task: str) -> None:
    train, dev = _pairs(made, "train", task), _pairs(made, "dev", task)
    assert dev.join(train, on=["origin_query", "target"], how="semi").is_empty()


def test_one_english_category_row_in_seven_is_in_another_language(made: Simulated) -> None:
    english = _pairs(made, "train", "QC").filter(pl.col("language") == "en")
    foreign = english["origin_query"].str.contains(r"[\p{Hangul}\p{Hiragana}\p{Katakana}\p{Han}]").mean()
    assert isinstance(foreign, float)
    assert 0.03 < foreign < 0.1, "two of the five other languages are written in these scripts"


def test_queries_are_repeated_and_their_concept_is_shared(made: Simulated) -> None:
    rows = _pairs(made, "train", "QI")
    assert rows["origin_query"].n_unique() < 0.7 * rows.height
    per_concept = rows.group_by("concept").agg(pl.col("type").n_unique(), pl.col("stated").n_unique())
    assert per_concept["type"].max() == per_concept["stated"].max() == 1
    assert rows.group_by("concept").agg(pl.col("language").n_unique())["language"].to_numpy().max() > 1


def test_lengths_are_like_those_of_the_real_data(made: Simulated) -> None:
    for task, (query, target) in {"QC": (13, 59), "QI": (16, 123)}.items():
        rows = _pairs(made, "train", task)
        assert abs(rows["origin_query"].str.len_chars().to_numpy().mean() - query) <= 0.3 * query
        assert abs(rows["target"].str.len_chars().drop_nulls().to_numpy().mean() - target) <= 0.2 * target


def test_a_machine_translation_is_often_wrong_and_never_for_english(made: Simulated) -> None:
    rows = _pairs(made, "dev", "QI")
    english = rows.filter(pl.col("language") == "en")
    assert (english["machine_translation"] == english["origin_query"]).all()
    others = rows.filter(pl.col("language") != "en")
    assert 0.1 < (others["machine_translation"] != others["translated_query"]).to_numpy().mean() < 0.5


def test_product_codes_stay_latin_and_a_few_queries_are_only_a_code(made: Simulated) -> None:
    rows = _pairs(made, "train", "QI")
    codes = rows.filter(pl.col("stated").str.starts_with("code="))
    assert 0 < codes.height < 0.03 * rows.height
    assert codes["origin_query"].str.contains(r"^[a-z0-9-]+$").mean() == pytest.approx(1.0, abs=0.1)


def test_a_few_titles_are_missing_and_keep_their_label(tmp_path: Path) -> None:
    made = simulate(tmp_path, pairs=60_000, seed=3)
    missing = _read(made.files["train_QI"]).filter(pl.col("item_title").is_null())
    assert 5 < missing.height < 80
    assert missing["label"].null_count() == 0


def test_label_noise_flips_the_rate_asked_for_and_the_truth_recovers_it(tmp_path: Path) -> None:
    clean, noisy = (
        simulate(tmp_path / "a", pairs=6_000, seed=1),
        simulate(tmp_path / "b", pairs=6_000, seed=1, label_noise=0.2),
    )
    assert clean.truth.read_bytes() == noisy.truth.read_bytes()
    for split, task in SPLITS:
        rows = _pairs(noisy, split, task)
        flipped = (rows["label"] != rows["label_true"]).to_numpy().mean()
        assert flipped == pytest.approx(0.2, abs=4 * (0.16 / rows.height) ** 0.5)


def test_dev_labels_can_be_left_out_as_in_the_real_files(tmp_path: Path) -> None:
    made = simulate(tmp_path, pairs=200, seed=0, dev_labels=False)
    assert "label" not in _read(made.files["dev_QC"]).columns
    assert "label" in _read(made.files["train_QC"]).columns


@pytest.mark.parametrize("wrong", [{"pairs": 99}, {"pairs": 500, "label_noise": 0.6}, {"pairs": 500, "seed": -1}])
def test_an_argument_out_of_range_is_named_in_one_sentence(tmp_path: Path, wrong: dict[str, float]) -> None:
    name = list(wrong)[-1]
    with pytest.raises(RecipeError, match=re.escape(f"{name} = {wrong[name]!r}")):
        simulate(tmp_path, **wrong)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_what_was_written_says_that_it_is_simulated(made: Simulated) -> None:
    assert '"simulated": true' in (made.folder / "simulated.json").read_text(encoding="utf-8")


def test_files_of_somebody_else_are_never_overwritten_and_its_own_are_made_again(tmp_path: Path) -> None:
    own = tmp_path / "dev_QC.txt"
    own.write_text("precious", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"holds other files, for it has no simulated\.json"):
        simulate(tmp_path, pairs=200)
    assert [*tmp_path.iterdir()] == [own]
    assert own.read_text(encoding="utf-8") == "precious"
    first = simulate(str(tmp_path / "new"), pairs=200).files["dev_QC"].read_bytes()
    assert simulate(tmp_path / "new", pairs=200).files["dev_QC"].read_bytes() == first
