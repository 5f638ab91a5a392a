"""The figures of an exploration against small tables whose answers were counted by hand."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from shopglot.core.errors import DataError
from shopglot.core.pairs import Pairs
from shopglot.curate.clean import clean
from shopglot.curate.settings import CurateSettings
from shopglot.report.exploration import Exploration, Length, TaskExploration, Unseen
from shopglot.report.explore import distinct_texts, explore_pairs
from shopglot.report.explore_origin import Origin, set_aside
from tests.strategies import pairs_tables

ORIGIN = Origin(files=("pairs.txt",), against=(), rows=9, left_out=(), corrected=True, tokenizer=None, simulated=False)
ROWS: list[tuple[str, str, str, str, str, str | None, int | None]] = [
    # task, query, target, language named, language, English, label
    ("QC", "tea", "food,tea", "en", "en", "tea", 1),
    ("QC", "tea", "food,tea", "en", "en", "tea", 0),
    ("QC", "tea", "food,tea,green tea", "en", "en", "tea", 1),
    ("QC", "thé vert", "food,tea,green tea", "en", "fr", "green tea", 1),
    ("QC", "thé  vert", "food,tea,green tea", "fr", "fr", "green tea", 1),
    ("QC", "seau", "home,garden,tools, big,buckets", "fr", "fr", None, 0),
    ("QC", "bucket", "home,garden", "fr", "en", None, None),
    ("QI", "tea", "Green Tea 100 g", "en", "en", None, 1),
    ("QI", "tasse", "Red Mug", "fr", "fr", None, 0),
]


def pairs(rows: list[Any] = ROWS) -> tuple[Pairs, pl.Series]:
    columns = ("task", "query", "target", "named", "language", "english", "label")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns[:-1], pl.String) | {"label": pl.Int8}, orient="row")
    return Pairs.from_frame(frame.drop("named")), frame["named"]


@pytest.fixture(scope="module")
def found() -> Exploration:
    return explore_pairs(*pairs(), ORIGIN)


@pytest.fixture(scope="module")
def categories(found: Exploration) -> TaskExploration:
    return found.tasks["QC"]


def length(found: TaskExploration, text: str, unit: str = "characters", **of: Any) -> Length:
    wanted = {"language": None, "label": None, **of}
    (only,) = [
        each
        for each in found.lengths
        if (each.text, each.unit) == (text, unit) and (each.language, each.label) == tuple(wanted.values())
    ]
    return only


def test_tasks_are_apart_and_a_query_of_both_is_counted(found: Exploration) -> None:
    assert {task: each.pairs for task, each in found.tasks.items()} == {"QC": 7, "QI": 2}
    assert found.shared_queries == 1
    assert found.tasks["QI"].tree is None
    assert (found.tasks["QC"].targets, found.tasks["QI"].targets) == (4, 2)


def test_languages_are_counted_before_and_after_correction(categories: TaskExploration) -> None:
    counts = {each.language: (each.named, each.corrected) for each in categories.languages}
    assert counts == {"en": (4, 4), "fr": (3, 3)}
    changed = [(each.named, each.corrected, each.pairs, each.queries, each.examples) for each in categories.corrections]
    assert changed == [("en", "fr", 1, 1, ("thé vert",)), ("fr", "en", 1, 1, ("bucket",))]


def test_a_kind_of_correction_has_at_most_twenty_examples_the_first_of_the_files_first() -> None:
    rows = [("QC", f"query {n % 30}", "food", "en", "fr", None, None) for n in range(60)]
    (kind,) = explore_pairs(*pairs(rows), ORIGIN).tasks["QC"].corrections
    assert (kind.pairs, kind.queries) == (60, 30)
    assert kind.examples == tuple(f"query {n}" for n in range(20))


def test_labels_are_counted_over_all_and_by_language(categories: TaskExploration) -> None:
    counts = [(each.language, each.irrelevant, each.relevant, each.unlabelled) for each in categories.labels]
    assert counts == [(None, 2, 4, 1), ("en", 1, 2, 1), ("fr", 1, 2, 0)]
    assert [each.relevant_share for each in categories.labels] == pytest.approx([4 / 6, 2 / 3, 2 / 3])


def test_lengths_are_of_all_pairs_of_a_label_and_of_a_language(categories: TaskExploration) -> None:
    query = length(categories, "query")  # 3 3 3 8 9 4 6
    assert (query.pairs, query.minimum, query.p25, query.median, query.p75, query.maximum) == (7, 3, 3, 4, 7, 9)
    assert query.mean == pytest.approx(36 / 7)
    assert length(categories, "query", label=1).median == 5.5
    assert length(categories, "query", language="en").mean == pytest.approx(15 / 4)
    assert length(categories, "path", "words").maximum == 5
    assert length(categories, "translation").pairs == 5


def test_a_histogram_holds_every_pair_once(categories: TaskExploration) -> None:
    for text, count in (("query", 7), ("path", 7), ("translation", 5)):
        bins = [each for each in categories.bins if each.text == text]
        assert sum(each.pairs for each in bins) == count
        ends = [each.end for each in bins if each.end is not None]
        assert [each.start for each in bins] == [0, *(end + 1 for end in ends)][: len(bins)]
    assert [each.pairs for each in categories.bins if each.text == "query"] == [0, 0, 0, 3, 1, 0, 1, 0, 1, 1]


def test_a_length_far_beyond_the_others_stands_in_a_last_bin_without_an_end() -> None:
    rows = [("QI", "tea" if n else "t" * 1_900, "mug", "en", "en", None, None) for n in range(300)]
    bins = [each for each in explore_pairs(*pairs(rows), ORIGIN).tasks["QI"].bins if each.text == "query"]
    assert len(bins) == 25
    assert (bins[3].pairs, bins[-1].end, bins[-1].pairs) == (299, None, 1)


def test_top_words_count_pairs_and_leave_out_the_shortest(categories: TaskExploration, found: Exploration) -> None:
    queries = {each.word: each.pairs for each in categories.words if each.text == "query" and each.language is None}
    assert queries == {"tea": 3, "thé": 2, "vert": 2, "bucket": 1, "seau": 1}
    french = [each.word for each in categories.words if each.language == "fr"]
    assert french == ["thé", "vert", "seau"]
    share = {each.word: each.relevant_share for each in categories.words if each.text == "query" and not each.language}
    assert (share["tea"], share["bucket"]) == (2 / 3, None)
    assert "g" not in {each.word for each in found.tasks["QI"].words}


def test_a_word_of_two_letters_counts_where_letters_say_more() -> None:
    rows = [("QI", query, "x", "ja", "ja", None, None) for query in ("お茶 de 赤", "한국 12", "de la")]
    words = {each.word for each in explore_pairs(*pairs(rows), ORIGIN).tasks["QI"].words if each.text == "query"}
    assert words == {"お茶", "한국"}


def test_the_word_overlap_is_the_mean_jaccard_of_a_label(categories: TaskExploration) -> None:
    means = {(each.text, each.language, each.label): each.mean for each in categories.overlaps}
    assert means["query", None, 1] == pytest.approx((1 / 2 + 1 / 3 + 0 + 0) / 4)
    assert means["query", None, 0] == pytest.approx((1 / 2 + 0) / 2)
    assert means["query", "en", 1] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert means["translation", None, 1] == pytest.approx((1 / 2 + 1 / 3 + 2 / 3 + 2 / 3) / 4)
    every = next(
        each for each in categories.overlaps if each.text == "query" and (each.language, each.label) == (None, None)
    )
    assert (every.pairs, every.median, every.any_share) == (7, 0.0, 3 / 7)


def test_queries_are_counted_by_how_often_they_repeat(categories: TaskExploration) -> None:
    queries = categories.queries
    assert (queries.distinct, queries.both_labels) == (5, 1)
    counts = {(each.fewest, each.most): (each.queries, each.pairs) for each in queries.repetitions}
    assert {key: value for key, value in counts.items() if any(value)} == {(1, 1): (4, 4), (3, 3): (1, 3)}
    assert [(each.query, each.pairs, each.relevant_share) for each in queries.most] == [("tea", 3, 2 / 3)]


def test_depth_and_breadth_of_the_tree_come_from_its_paths(categories: TaskExploration) -> None:
    assert categories.tree is not None
    depths = [(each.depth, each.paths, each.pairs) for each in categories.tree.depths]
    assert depths == [(2, 2, 3), (3, 1, 3), (4, 1, 1)]
    levels = [(each.level, each.nodes, each.parents, each.most_children) for each in categories.tree.levels]
    assert levels == [(1, 2, 2, 1), (2, 2, 2, 1), (3, 2, 1, 1), (4, 1, 0, 0)]
    assert [each.mean_children for each in categories.tree.levels] == [1.0, 1.0, 1.0, None]
    branches = [(each.name, each.paths, each.pairs, each.relevant_share) for each in categories.tree.branches]
    assert branches == [("food", 2, 5, 4 / 5), ("home", 2, 2, 0.0)]


def test_duplicates_near_duplicates_and_contradictions_are_counted() -> None:
    rows = [*ROWS[:7], ROWS[0], ("QC", "the vert", "food,tea,green tea", "fr", "fr", None, 1)]
    duplicates = explore_pairs(*pairs(rows), ORIGIN).tasks["QC"].duplicates
    assert (duplicates.duplicates, duplicates.near_duplicates) == (1, 2)
    assert (duplicates.contradictions, duplicates.contradictory_pairs) == (1, 3)
    (example,) = duplicates.examples
    assert (example.query, example.target, example.relevant, example.irrelevant) == ("tea", "food,tea", 2, 1)


def test_fertility_is_tokens_per_word_of_distinct_texts() -> None:
    given, named = pairs()
    texts = distinct_texts(given)
    assert sorted(texts) == sorted({text for row in ROWS for text in (row[1], row[2], row[5]) if text is not None})
    tokens = pl.DataFrame({"text": texts, "tokens": texts.str.len_chars() * 2})
    found = explore_pairs(given, named, ORIGIN, tokens=tokens).tasks["QC"]
    counts = {(each.text, each.language): (each.texts, each.tokens, each.words) for each in found.fertility}
    assert counts["query", None] == (5, 60, 7)
    assert counts["query", "fr"] == (3, 42, 5)
    assert counts["translation", None] == (2, 24, 3)
    assert all(each.tokens_per_character == 2 for each in found.fertility)
    assert length(found, "pair", "tokens").minimum == 2 * len("teafood,tea")
    assert length(found, "query", "tokens", language="en").pairs == 4


def test_what_either_side_lacks_is_counted_in_values_and_pairs() -> None:
    other = [
        ("QC", "tea", "food,coffee", "en", "en", None, None),
        ("QC", "кофе", "food,coffee", "ru", "ru", None, None),
        ("QC", "seau", "home,garden", "fr", "fr", None, None),
    ]
    found = explore_pairs(*pairs(), ORIGIN, against=pairs(other)[0])
    unseen = {(each.what, each.where): each for each in found.tasks["QC"].against or ()}
    assert counts(unseen["language", "against"]) == (3, 1, 3, 1, ("ru",))
    assert counts(unseen["query", "files"]) == (5, 3, 7, 3, ("bucket", "thé  vert", "thé vert"))
    assert counts(unseen["path", "against"]) == (2, 1, 3, 2, ("food,coffee",))
    assert counts(unseen["first two levels", "files"]) == (2, 1, 7, 5, ("food,tea",))
    assert counts(unseen["top level", "files"]) == (2, 0, 7, 0, ())
    assert (unseen["path", "against"].unseen_share, unseen["path", "against"].unseen_pairs_share) == (1 / 2, 2 / 3)
    assert found.tasks["QI"].against is None


def counts(unseen: Unseen) -> tuple[int, int, int, int, tuple[str, ...]]:
    return unseen.values, unseen.unseen, unseen.pairs, unseen.unseen_pairs, unseen.examples


def test_files_without_labels_have_every_figure_but_those_of_labels() -> None:
    found = explore_pairs(*pairs([(*row[:6], None) for row in ROWS]), ORIGIN).tasks["QC"]
    assert not found.labelled
    assert (found.labels[0].unlabelled, found.labels[0].relevant_share) == (7, None)
    labels = [each.label for each in found.lengths] + [each.label for each in found.overlaps]
    assert set(labels) == {None}
    shares = [each.relevant_share for each in found.words] + [each.relevant_share for each in found.queries.most]
    assert set(shares) == {None}
    assert (found.queries.both_labels, found.duplicates.contradictions) == (0, 0)


def test_rows_without_a_text_to_judge_are_counted_and_left_out() -> None:
    rows = [*ROWS, ("QI", "", "Red Mug", "en", "en", None, 1), ("QI", "tea", "", "en", "en", None, 1)]
    given, named = pairs(rows)
    found = explore_pairs(clean(given, CurateSettings()), named, ORIGIN)
    assert found.tasks["QI"].pairs == 2
    assert {each.reason: each.rows for each in found.origin.left_out} == {"empty query": 1, "missing target": 1}


def test_pairs_without_any_text_to_judge_are_refused() -> None:
    given, named = pairs([("QI", "", "Red Mug", "en", "en", None, 1)])
    with pytest.raises(DataError, match=r"no row of pairs\.txt has both a query and a target"):
        explore_pairs(clean(given, CurateSettings()), named, ORIGIN)


def test_rows_set_aside_are_told_by_reason_with_the_first_place() -> None:
    rows = [("a.txt", 3, "not valid JSON", "{"), ("a.txt", 5, "no id", "{}"), ("b.txt", 1, "no id", "{}")]
    reasons = set_aside(pl.DataFrame(rows, schema=["file", "line", "reason", "text"], orient="row"))
    found = [(each.reason, each.rows, each.first) for each in reasons]
    assert found == [("no id", 2, "a.txt line 5"), ("not valid JSON", 1, "a.txt line 3")]


@settings(max_examples=20)
@given(pairs_tables())
def test_the_parts_of_every_figure_add_up_to_its_pairs(given: Pairs) -> None:
    found = explore_pairs(clean(given, CurateSettings()), given["language"], ORIGIN)
    for task in found.tasks.values():
        every, *languages = task.labels
        assert every.irrelevant + every.relevant + every.unlabelled == task.pairs
        assert sum(each.relevant for each in languages) == every.relevant
        assert sum(each.named for each in task.languages) == task.pairs
        assert sum(each.pairs for each in task.bins if each.text == "query") == task.pairs
        assert sum(each.pairs for each in task.queries.repetitions) == task.pairs
        assert sum(each.queries_share for each in task.queries.repetitions) == pytest.approx(1)
        assert all(each.minimum <= each.p25 <= each.median <= each.p99 <= each.maximum for each in task.lengths)
        assert all(0 <= each.mean <= 1 for each in task.overlaps)
        if task.tree:
            assert sum(each.pairs for each in task.tree.depths) == task.pairs
            assert sum(each.pairs for each in task.tree.branches) == task.pairs
