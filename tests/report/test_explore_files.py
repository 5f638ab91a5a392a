"""`shopglot explore` on files: simulated ones, whose counts are known, and bad ones."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shopglot.core.category import CategoryPath
from shopglot.core.errors import BundleError, DataError, RecipeError, ShopglotError
from shopglot.demo.simulate import Simulated, simulate
from shopglot.jobs import explore
from shopglot.report.exploration import Exploration
from tests.curate.files import Row, category_row, item_row, json_lines


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return simulate(tmp_path_factory.mktemp("simulated"), pairs=2_000, seed=3)


@pytest.fixture(scope="module")
def found(made: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Exploration:
    files = [made.files["train_QC"], made.files["train_QI"]]
    return explore(files, tmp_path_factory.mktemp("out"), against=[made.files["dev_QC"]], correct_language=False)


def raw(made: Simulated, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in made.files[name].read_text(encoding="utf-8").splitlines()]


def test_the_counts_of_simulated_files_are_those_they_were_made_with(made: Simulated, found: Exploration) -> None:
    assert found.origin.simulated
    assert found.origin.rows == made.rows["train_QC"] + made.rows["train_QI"]
    rows = raw(made, "train_QC")
    categories = found.tasks["QC"]
    assert categories.pairs == len(rows)
    assert {each.language: each.named for each in categories.languages} == Counter(row["language"] for row in rows)
    assert categories.corrections == ()
    labels = {each.language: (each.irrelevant, each.relevant) for each in categories.labels}
    by_language = Counter((row["language"], row["label"]) for row in rows)
    assert labels["ja"] == (by_language["ja", 0], by_language["ja", 1])


def test_the_tree_of_simulated_files_is_that_of_their_paths(made: Simulated, found: Exploration) -> None:
    paths = Counter(CategoryPath.parse(row["category_path"].lower()) for row in raw(made, "train_QC"))
    tree = found.tasks["QC"].tree
    assert tree is not None
    depths: dict[int, list[int]] = defaultdict(list)
    for path, pairs in paths.items():
        depths[len(path.levels)].append(pairs)
    assert [(each.depth, each.paths, each.pairs) for each in tree.depths] == [
        (depth, len(pairs), sum(pairs)) for depth, pairs in sorted(depths.items())
    ]
    children: dict[CategoryPath, set[CategoryPath]] = defaultdict(set)
    for node in {node for path in paths for node in (path, *path.ancestors())}:
        if node.parent:
            children[node.parent].add(node)
    second = [len(kids) for node, kids in children.items() if len(node.levels) == 2]
    assert (tree.levels[1].parents, tree.levels[1].most_children) == (len(second), max(second))
    assert tree.levels[1].mean_children == pytest.approx(sum(second) / len(second))


def test_the_overlap_of_simulated_files_is_the_mean_of_the_sets_of_words(made: Simulated, found: Exploration) -> None:
    rows = [row for row in raw(made, "train_QC") if row["label"]]
    shares = [
        len(one & other) / len(one | other)
        for one, other in ((words(row["translated_query"]), words(row["category_path"])) for row in rows)
    ]
    (overlap,) = [
        each
        for each in found.tasks["QC"].overlaps
        if (each.text, each.language, each.label) == ("translation", None, 1)
    ]
    assert overlap.mean == pytest.approx(sum(shares) / len(shares))
    assert overlap.any_share == pytest.approx(sum(share > 0 for share in shares) / len(shares))


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def test_categories_that_only_dev_has_are_found(made: Simulated, found: Exploration) -> None:
    train, dev = ({row["category_path"].lower() for row in raw(made, name)} for name in ("train_QC", "dev_QC"))
    (path,) = [each for each in found.tasks["QC"].against or () if (each.what, each.where) == ("path", "against")]
    assert (path.values, path.unseen) == (len(dev), len(dev - train))
    assert set(path.examples) <= dev - train
    assert found.tasks["QI"].against is None


def test_a_query_in_another_script_is_a_suspected_wrong_label(tmp_path: Path) -> None:
    rows = [category_row(1, language="EN-us", origin_query="платье"), category_row(2), category_row(3, language="vn")]
    given = json_lines(tmp_path / "pairs.txt", rows)
    found = explore([given], tmp_path / "out").tasks["QC"]
    assert {each.language: (each.named, each.corrected) for each in found.languages} == {
        "en": (2, 1),
        "ru": (0, 1),
        "vi": (1, 1),
    }
    (kind,) = found.corrections
    assert (kind.named, kind.corrected, kind.examples) == ("en", "ru", ("платье",))


def test_bad_rows_are_left_out_and_told(tmp_path: Path) -> None:
    rows: list[Row | str | bytes] = [
        category_row(1),
        category_row(1),
        "{",
        item_row(3, label="yes"),
        item_row(4, item_title=None),
    ]
    found = explore([json_lines(tmp_path / "pairs.txt", rows)], tmp_path / "out", correct_language=False)
    assert found.origin.rows == 5
    left_out = [(each.reason, each.rows) for each in found.origin.left_out]
    assert left_out == [("not valid JSON", 1), ("missing target", 1)]
    assert (found.tasks["QC"].pairs, found.tasks["QI"].labels[0].unlabelled) == (2, 1)


def test_tokens_are_those_of_the_named_tokenizer(tiny_bert: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    given = json_lines(tmp_path / "pairs.txt", [category_row(1), category_row(2, origin_query="green tea")])
    found = explore([given], tmp_path / "out", tokenizer=str(tiny_bert), correct_language=False)
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    expected = sum(len(tokenizer.tokenize(text)) for text in ("tea", "green tea"))
    assert found.origin.tokenizer == str(tiny_bert)
    assert [each.tokens for each in found.tasks["QC"].fertility if each.text == "query"] == [expected, expected]


def bad_input(folder: Path) -> Iterator[tuple[dict[str, Any], type[ShopglotError], str]]:
    good = json_lines(folder / "pairs.txt", [category_row(1)])
    used, inside = folder / "used", folder / "inside"
    for each in (used, inside):
        each.mkdir()
        (each / "notes.txt").write_text("mine", encoding="utf-8")
    own = json_lines(inside / "explore.json", [category_row(1)])
    bare = folder / "bare"
    bare.mkdir()
    empty = json_lines(folder / "empty.txt", [category_row(1, origin_query="")])
    yield {"files": [folder / "none.txt"]}, DataError, "there is no file"
    yield {"files": []}, DataError, "no files were given"
    yield {"files": [good], "against": [folder / "none.txt"]}, DataError, "there is no file"
    yield {"files": [empty]}, DataError, "has both a query and a target"
    yield {"files": [good], "out": used}, RecipeError, "used holds other files, for it has no explore.json"
    yield {"files": [good], "out": good}, RecipeError, "is a file; name a folder"
    yield {"files": [own], "out": inside}, RecipeError, "explore.json stands in .*inside itself; name another folder"
    yield {"files": [good], "tokenizer": "embedded:none"}, RecipeError, "no embedded model 'none'"
    yield {"files": [good], "tokenizer": str(bare)}, BundleError, "cannot be loaded"


def test_what_cannot_be_explored_is_one_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    for arguments, error, words in bad_input(tmp_path):
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        with pytest.raises(error, match=words) as raised:
            explore(**{"out": tmp_path / "out", "correct_language": False, **arguments})
        assert "\n" not in str(raised.value)
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_exploration_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    for rows in (3, 5):
        given = json_lines(tmp_path / "pairs.txt", [category_row(n) for n in range(rows)])
        explore([given], tmp_path / "out", correct_language=False)
    kept = json.loads((tmp_path / "out" / "explore.json").read_text(encoding="utf-8"))
    assert kept["tasks"]["QC"]["pairs"] == 5
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["explore.html", "explore.json"]
