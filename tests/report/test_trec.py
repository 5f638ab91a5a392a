import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, ndcg_score

from shopglot.core.errors import DataError, RecipeError
from shopglot.report.trec import export_trec, import_trec, rank_measures, read_qrels, read_run
from tests.curate.files import category_row, item_row, json_lines, text_file


def scored(queries: int = 8, candidates: int = 5, seed: int = 3) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        item_row(number, origin_query=f"thé {number // candidates}", item_title=f"Thé {number}", language="fr")
        | {"label": int(number % candidates == 0 or rng.random() < 0.3), "score": float(rng.random())}
        for number in range(queries * candidates)
    ]


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    export_trec(json_lines(tmp_path / "scored.jsonl", scored()), tmp_path / "trec")
    return tmp_path / "trec"


def fields(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text(encoding="utf-8").splitlines()]


def test_qrels_and_run_have_the_fields_of_trec_with_ranks_by_falling_score(exported: Path) -> None:
    qrels, run = fields(exported / "qrels.txt"), fields(exported / "run.txt")
    assert {(len(line), line[1]) for line in qrels} == {(4, "0")}
    assert {(len(line), line[1], line[5]) for line in run} == {(6, "Q0", "shopglot")}
    assert {(line[0], line[2]) for line in qrels} == {(line[0], line[2]) for line in run}
    for query in {line[0] for line in run}:
        own = [line for line in run if line[0] == query]
        assert [int(line[3]) for line in own] == [1, 2, 3, 4, 5]
        assert [float(line[4]) for line in own] == sorted((float(line[4]) for line in own), reverse=True)


def test_ids_are_the_same_wherever_and_with_whatever_they_are_exported(exported: Path, tmp_path: Path) -> None:
    export_trec(json_lines(tmp_path / "few.jsonl", scored()[:5]), tmp_path / "few")
    assert fields(tmp_path / "few" / "run.txt") == [
        line for line in fields(exported / "run.txt") if line[0] == fields(tmp_path / "few" / "run.txt")[0][0]
    ]
    assert (tmp_path / "few" / "queries.tsv").read_text(encoding="utf-8") == "QI-fr-8012825988900137\tthé 0\n"


def test_the_ids_of_the_file_are_kept_and_name_each_query_and_product(tmp_path: Path) -> None:
    rows = [row | {"query_id": f"q{n // 5}", "product_id": f"B{n}"} for n, row in enumerate(scored(1))]
    export_trec(json_lines(tmp_path / "scored.jsonl", rows), tmp_path / "trec")
    assert {line[0] for line in fields(tmp_path / "trec" / "qrels.txt")} == {"q0"}
    assert (tmp_path / "trec" / "documents.tsv").read_text(encoding="utf-8").splitlines()[0] == "B0\tthé 0"


def test_the_same_query_in_two_languages_or_tasks_is_two_queries(tmp_path: Path) -> None:
    rows = [
        *(category_row(number, language=language, score=0.5) for number, language in enumerate(["en", "de", None])),
        item_row(9, language="en", score=0.5),
    ]
    export_trec(json_lines(tmp_path / "scored.jsonl", rows), tmp_path / "trec")
    names = {line[0].rpartition("-")[0] for line in fields(tmp_path / "trec" / "run.txt")}
    assert names == {"QC-en", "QC-de", "QC-und", "QI-en"}


def test_rows_of_the_same_query_and_target_become_one_that_is_relevant_where_any_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [category_row(1, label=0, score=0.4), category_row(2, label=1, score=0.4), category_row(3, origin_query="")]
    said = export_trec(json_lines(tmp_path / "scored.jsonl", rows), tmp_path / "trec")
    assert said == {"qrels.txt": 1, "run.txt": 1, "queries.tsv": 1, "documents.tsv": 1}
    assert fields(tmp_path / "trec" / "qrels.txt")[0][3] == "1"
    assert "1 of the 2 rows" in caplog.text


def test_a_file_with_labels_alone_has_no_run_and_one_with_scores_alone_no_qrels(tmp_path: Path) -> None:
    labelled = [{key: value for key, value in row.items() if key != "score"} for row in scored()]
    unlabelled = [{key: value for key, value in row.items() if key != "label"} for row in scored()]
    assert "run.txt" not in export_trec(json_lines(tmp_path / "l.jsonl", labelled), tmp_path / "labelled")
    assert "qrels.txt" not in export_trec(json_lines(tmp_path / "u.jsonl", unlabelled), tmp_path / "unlabelled")
    neither = [{key: value for key, value in row.items() if key != "label"} for row in labelled]
    with pytest.raises(DataError, match="has neither labels nor scores; label its pairs, or score it"):
        export_trec(json_lines(tmp_path / "n.jsonl", neither), tmp_path / "neither")
    assert not (tmp_path / "neither").exists()


def test_nan_scores_odd_ids_and_a_folder_of_other_things_are_refused_and_nothing_changes(
    exported: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in exported.iterdir()}
    for change, words in (
        ({"score": "nan"}, "the score of QI-0 in .* is 'nan'"),
        ({"query_id": "two words"}, "the query_id 'two words' has a space or is empty"),
    ):
        rows = [row | change for row in scored()]
        with pytest.raises(DataError, match=words):
            export_trec(json_lines(tmp_path / "bad.jsonl", rows), exported)
        assert {path: path.read_bytes() for path in exported.iterdir()} == before
    (exported / "notes.md").write_text("mine", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"holds other files, such as notes\.md"):
        export_trec(tmp_path / "scored.jsonl", exported)


def test_the_measures_are_those_of_scikit_learn_and_of_a_hand_calculation(exported: Path) -> None:
    found = rank_measures(exported / "run.txt", exported / "qrels.txt", ["nDCG@3", "nDCG@10", "AP", "RR", "P@1"])
    table = pl.DataFrame(scored())
    queries = [own.sort("score", descending=True) for _, own in table.group_by("origin_query")]
    labels, scores = (np.array([own[name].to_list() for own in queries]) for name in ("label", "score"))
    first = labels.argmax(axis=1)
    expected = {
        "nDCG@3": ndcg_score(labels, scores, k=3),
        "nDCG@10": ndcg_score(labels, scores),
        "AP": np.mean([average_precision_score(own, said) for own, said in zip(labels, scores, strict=True)]),
        "RR": np.mean(1 / (first + 1)),
        "P@1": np.mean(labels[:, 0]),
    }
    assert dict(found.table.rows()) == pytest.approx(expected)
    assert (found.queries, found.absent, found.single, found.unjudged) == (8, 0, 0, 0)


def test_queries_of_one_candidate_are_left_out_absent_ones_count_as_nothing_and_unjudged_ones_not(
    tmp_path: Path,
) -> None:
    run = text_file(tmp_path / "run.txt", *(f"{q} Q0 {d} 1 {s} x" for q, d, s in [("a", 1, 2), ("a", 2, 1.5)]),
                    "single Q0 1 1 0.5 x", "unjudged Q0 1 1 0.5 x", "unjudged Q0 2 2 0.4 x")  # fmt: skip
    qrels = text_file(tmp_path / "qrels.txt", "a 0 1 1", "a 0 2 0", "single 0 1 1", "absent 0 1 1", "absent 0 2 0")
    found = rank_measures(run, qrels, ["RR"])
    assert found.table.rows() == [("RR", 0.5)]
    assert (found.queries, found.absent, found.single, found.unjudged) == (2, 1, 1, 1)


def test_runs_over_other_data_and_runs_without_a_ranking_are_refused(tmp_path: Path) -> None:
    run = text_file(tmp_path / "run.txt", "a Q0 1 1 0.5 x")
    with pytest.raises(DataError, match="have no query in common; give the judgements of the run's own queries"):
        rank_measures(run, text_file(tmp_path / "other.txt", "b 0 1 1", "b 0 2 0"))
    with pytest.raises(DataError, match=r"no query of .* has several candidates, so there is nothing to rank"):
        rank_measures(run, text_file(tmp_path / "same.txt", "a 0 1 1"))


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("nDGC@10", "no measure 'nDGC@10'; write it as ir-measures does, such as nDCG@10"),
        ("nDCG@", "no measure 'nDCG@'"),
        ("P@0", "looks at no rank; write a depth from 1 to 999999999"),
        ("nDCG@99999999999999999999", "looks at no rank; write a depth from 1 to 999999999"),
        ("P", "cannot compute P: .*; leave it out"),
        ("alpha_nDCG@5", "cannot compute alpha_nDCG@5: Unsupported measures"),
    ],
)
def test_a_measure_that_is_not_known_or_cannot_be_computed_is_said(exported: Path, measure: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        rank_measures(exported / "run.txt", exported / "qrels.txt", [measure])


def test_an_absent_library_is_one_clear_line(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(RecipeError, match=r"ranking measures need ir-measures: pip install 'shopglot\[train\]'"):
        rank_measures(exported / "run.txt", exported / "qrels.txt")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a Q0 1 1 0.5"], "line 1 has not the fields query_id Q0 doc_id rank score tag"),
        (["a Q0 1 1 0.5 x", "a Q0 2 2 nan x"], "line 2 has the score 'nan'; write a finite number"),
        (["a Q0 1 1 inf x"], "line 1 has the score 'inf'"),
        (["a Q0 1 1 high x"], "line 1 has the score 'high'"),
        (["a Q0 1 1 0.5 x", "", "a Q0 1 2 0.4 x"], "line 3 names document 1 of query a again; name each once"),
    ],
)
def test_a_run_with_a_bad_line_is_refused_with_its_number(tmp_path: Path, lines: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_run(text_file(tmp_path / "run.txt", *lines))


def test_fields_stand_between_tabs_or_spaces_and_grades_may_be_negative(tmp_path: Path) -> None:
    assert read_qrels(text_file(tmp_path / "a.txt", "q1\t0\td1\t-1", "q1 0  d2 3")).rows() == [
        ("q1", "d1", -1),
        ("q1", "d2", 3),
    ]
    with pytest.raises(DataError, match=r"line 1 has the relevance '0.5'"):
        read_qrels(text_file(tmp_path / "b.txt", "q1 0 d1 0.5"))
    with pytest.raises(DataError, match=r"line 1 has the relevance '2147483647'; write a grade below 32768"):
        read_qrels(text_file(tmp_path / "c.txt", "q1 0 d1 2147483647"))
    with pytest.raises(DataError, match="there is no file"):
        read_qrels(tmp_path / "none.txt")


def test_what_was_exported_comes_back_as_pairs_and_is_exported_alike(exported: Path, tmp_path: Path) -> None:
    assert import_trec(exported, tmp_path / "pairs.jsonl", task="QI", language="fr") == 40
    pairs = pl.read_ndjson(tmp_path / "pairs.jsonl")
    expected = {(row["origin_query"], row["item_title"].lower(), row["label"]) for row in scored()}
    assert set(pairs.select("origin_query", "item_title", "label").rows()) == expected
    export_trec(tmp_path / "pairs.jsonl", tmp_path / "again")
    for name in ("qrels.txt", "queries.tsv", "documents.tsv"):
        assert (tmp_path / "again" / name).read_bytes() == (exported / name).read_bytes()


def test_grades_become_labels_and_what_only_the_run_has_is_not_labelled(tmp_path: Path) -> None:
    text_file(tmp_path / "queries.tsv", "q1\ttea")
    text_file(tmp_path / "documents.tsv", *(f"d{n}\tTitle {n}" for n in range(4)))
    text_file(tmp_path / "qrels.txt", "q1 0 d1 1", "q1 0 d2 2")
    text_file(tmp_path / "run.txt", "q1 Q0 d3 1 9.5 bm25", "q1 Q0 d2 2 7 bm25")
    import_trec(tmp_path, tmp_path / "pairs.jsonl", task="QI", relevant=2)
    labels = {row["doc_id"]: row["label"] for row in pl.read_ndjson(tmp_path / "pairs.jsonl").rows(named=True)}
    assert labels == {"d1": 0, "d2": 1, "d3": None}
    text_file(tmp_path / "documents.tsv", "d1\tTitle")
    with pytest.raises(DataError, match=r"documents.tsv has no text for 'd2'; write an id, a tab and a text a line"):
        import_trec(tmp_path, tmp_path / "other.jsonl", task="QI")
    with pytest.raises(DataError, match=r"has no qrels.txt and no run.txt"):
        import_trec(tmp_path / "none", tmp_path / "other.jsonl", task="QI")
    assert not (tmp_path / "other.jsonl").exists()
