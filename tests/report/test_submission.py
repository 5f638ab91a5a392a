import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.errors import DataError, RecipeError
from shopglot.report.submission import check_submission, compare_submissions, write_submission
from tests.curate.files import Row, category_row, item_row, json_lines

Rows = list[dict[str, Any]]


def task_rows() -> tuple[Rows, Rows]:
    """Rows to be answered, as a competition sends them: without a label, in any order, texts as they are."""
    categories = [
        category_row(number, origin_query=query, language=language)
        for number, query, language in [
            (3, ' Tea  "pot"\\', "en"),
            (1, "écouteurs", "fr"),
            (20, "trà", "vn"),
            (4, "", "en"),
        ]
    ]
    items = [item_row(2, item_title=None), item_row(1, item_title="緑茶 100g"), item_row(7)]
    return tuple([{k: v for k, v in row.items() if k != "label"} for row in rows] for rows in (categories, items))  # type: ignore[return-value]


@pytest.fixture
def tasks(tmp_path: Path) -> list[Path]:
    return [
        json_lines(tmp_path / f"dev_{name}.txt", rows) for name, rows in zip(("QC", "QI"), task_rows(), strict=True)
    ]


def scored_rows(**changes: Any) -> Rows:
    rows = [row for rows in task_rows() for row in rows]
    said = [{"score": 0.7, "prediction": number % 2, "threshold": 0.5, "flag": None} for number in range(len(rows))]
    return [row | each | changes for row, each in zip(rows, said, strict=True)]


def scored_file(folder: Path, rows: Rows) -> Path:
    return json_lines(folder / "scored.jsonl", rows)


@pytest.fixture
def written(tmp_path: Path, tasks: list[Path]) -> Path:
    write_submission([scored_file(tmp_path, scored_rows())], tasks, tmp_path / "submission")
    return tmp_path / "submission"


def lines(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_a_submission_has_the_rows_of_the_task_files_by_their_ids_with_texts_as_they_were(written: Path) -> None:
    for name, rows in zip(("QC", "QI"), task_rows(), strict=True):
        answered = lines(written / f"submit_{name}.txt")
        assert [row.pop("prediction") in (0, 1) for row in answered]
        assert answered == sorted(
            ({key: value for key, value in row.items() if key != "task"} for row in rows),
            key=lambda row: int(row["id"]),
        )


def test_the_zip_holds_the_same_files_at_its_top_and_the_same_bytes_each_time(
    written: Path, tasks: list[Path], tmp_path: Path
) -> None:
    with zipfile.ZipFile(written / "submit.zip") as archive:
        assert archive.namelist() == ["submit_QC.txt", "submit_QI.txt"]
        assert archive.read("submit_QI.txt") == (written / "submit_QI.txt").read_bytes()
    write_submission([tmp_path / "scored.jsonl"], tasks, tmp_path / "again")
    assert (tmp_path / "again" / "submit.zip").read_bytes() == (written / "submit.zip").read_bytes()


def test_what_was_written_has_no_fault_as_folder_and_as_zip(written: Path, tasks: list[Path]) -> None:
    assert check_submission(written, tasks) == []
    assert check_submission(written / "submit.zip", tasks) == []


def test_predictions_come_from_several_files_of_any_format(tmp_path: Path, tasks: list[Path], written: Path) -> None:
    table = pl.DataFrame(scored_rows(), infer_schema_length=None)
    table.filter(pl.col("task") == "QC").drop("item_title").write_parquet(tmp_path / "a.parquet")
    table.filter(pl.col("task") == "QI").drop("category_path").write_csv(tmp_path / "b.csv")
    said = write_submission([tmp_path / "a.parquet", tmp_path / "b.csv"], tasks[:1], tmp_path / "one")
    assert said == {"submit_QC.txt": (4, 2)}
    assert lines(tmp_path / "one" / "submit_QC.txt") == lines(written / "submit_QC.txt")
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"submit_QC.txt", "submit.zip"}


def without_one(rows: Rows) -> Rows:
    return rows[1:]


def twice(rows: Rows) -> Rows:
    return [*rows, rows[0]]


def other_data(rows: Rows) -> Rows:
    return [row | {"id": int(row["id"]) + 100} for row in rows]


def cleaned(rows: Rows) -> Rows:
    return [row | {"origin_query": str(row["origin_query"]).strip()} for row in rows]


def nan_prediction(rows: Rows) -> Rows:
    return [row | {"prediction": "nan"} for row in rows]


def one_task(rows: Rows) -> Rows:
    return [row for row in rows if row["task"] == "QC"]


def never_scored(rows: Rows) -> Rows:
    return [{key: value for key, value in row.items() if key != "prediction"} for row in rows]


def ids_of_letters(rows: Rows) -> Rows:
    return [row | {"id": "x"} for row in rows]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without_one, r"submit_QC.txt: ids of the task file that are missing: 1, such as id 3; score"),
        (twice, "submit_QC.txt: ids that stand there before: 1, such as id 3;"),
        (other_data, r"ids that are not in the task file: 4, such as id 101 \(and 3 more kinds of fault\)"),
        (cleaned, "queries that are not those of the task file: 1, such as id 3;"),
        (nan_prediction, "the prediction of QC-3 in .*scored.jsonl is 'nan'; give a file"),
        (one_task, "no scored row is of task QI; score its task file too"),
        (never_scored, "scored.jsonl lacks prediction; give a file that `shopglot score` wrote"),
        (ids_of_letters, "ids that are no whole numbers: 4, such as null"),
    ],
)
def test_scored_rows_that_are_no_answer_are_refused_and_an_earlier_submission_stays(
    tmp_path: Path, tasks: list[Path], written: Path, damage: Callable[[Rows], Rows], words: str
) -> None:
    before = {path: path.read_bytes() for path in written.iterdir()}
    with pytest.raises(DataError, match=words) as refused:
        write_submission([scored_file(tmp_path, damage(scored_rows()))], tasks, written)
    assert "\n" not in str(refused.value)
    assert {path: path.read_bytes() for path in written.iterdir()} == before
    assert not list(tmp_path.rglob("*.part"))


def test_a_folder_of_other_things_is_not_replaced(tmp_path: Path, tasks: list[Path], written: Path) -> None:
    (written / "notes.md").write_text("mine", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"holds other files, such as notes\.md; name a new or empty folder"):
        write_submission([tmp_path / "scored.jsonl"], tasks, written)


def test_task_files_that_name_an_id_twice_or_cannot_be_read_are_refused(tmp_path: Path, tasks: list[Path]) -> None:
    scored = scored_file(tmp_path, scored_rows())
    with pytest.raises(DataError, match="the task files have id 3 of QC twice; name each file once"):
        write_submission([scored], [tasks[0], tasks[0]], tmp_path / "out")
    tasks[0].write_text(tasks[0].read_text(encoding="utf-8") + "{broken\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"dev_QC.txt line 5 cannot be answered: not valid JSON; fetch"):
        check_submission(tmp_path, tasks)
    plain = json_lines(tmp_path / "esci.csv", ["query,product_title", "tea,Green Tea"])
    with pytest.raises(DataError, match="the task files: no id and no language and no origin_query and no item_title"):
        check_submission(tmp_path, [plain])


def changed(folder: Path, change: Callable[[Rows], list[Row | str | bytes]], name: str = "submit_QC.txt") -> None:
    """Change the rows of a file, and zip the files again."""
    json_lines(folder / name, change(lines(folder / name)))
    with zipfile.ZipFile(folder / "submit.zip", "w") as archive:
        for path in sorted(folder.glob("*.txt")):
            archive.write(path, path.name)


def with_value(key: str, value: Any) -> Callable[[Rows], list[Row | str | bytes]]:
    return lambda rows: [rows[0] | {key: value}, *rows[1:]]


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        (with_value("prediction", "1"), ['predictions other than 0 and 1: 1, such as "1" at id 1']),
        (with_value("prediction", 0.5), ["predictions other than 0 and 1: 1, such as 0.5 at id 1"]),
        (with_value("prediction", 1.0), ["predictions other than 0 and 1: 1, such as 1.0 at id 1"]),
        (with_value("prediction", None), ["predictions other than 0 and 1: 1, such as null at id 1"]),
        (
            lambda rows: [row | {"prediction": True} for row in rows],
            ["predictions other than 0 and 1: 4, such as true at id 1"],
        ),
        (with_value("language", "vi"), ["languages that are not those of the task file: 1, such as id 1"]),
        (with_value("origin_query", "écouteur"), ["queries that are not those of the task file: 1, such as id 1"]),
        (with_value("category_path", None), ["targets that are not those of the task file: 1, such as id 1"]),
        (with_value("id", "1"), ['ids that are no whole numbers: 1, such as "1"']),
        (with_value("score", 0.7), ["keys that do not belong there: 1, such as score"]),
        (lambda rows: rows[::-1], ["ids below the one before: 3, such as id 4"]),
        (lambda rows: [*rows, rows[-1]], ["ids that stand there before: 1, such as id 20"]),
        (lambda rows: [*rows, "{", "7"], ["lines that are no JSON objects: 2, such as line 5, not valid JSON"]),
        (
            lambda rows: [{key: value for key, value in row.items() if key != "prediction"} for row in rows],
            ["lines without the key 'prediction': 4, such as line 1"],
        ),
        (
            lambda rows: [row | {"id": int(row["id"]) + 1} for row in rows],
            [
                "ids that are not in the task file: 3, such as id 2",
                "queries that are not those of the task file: 1, such as id 4",
                "ids of the task file that are missing: 3, such as id 3",
            ],
        ),
    ],
)
def test_every_kind_of_fault_is_found_with_its_count_and_its_first_example(
    written: Path, tasks: list[Path], change: Callable[[Rows], list[Row | str | bytes]], faults: list[str]
) -> None:
    changed(written, change)
    expected = [f"submit_QC.txt: {fault}" for fault in faults]
    assert [str(fault) for fault in check_submission(written, tasks)] == expected
    assert [str(fault) for fault in check_submission(written / "submit.zip", tasks)] == expected


def test_missing_empty_and_foreign_files_are_faults(written: Path, tasks: list[Path]) -> None:
    (written / "submit_QC.txt").write_text("", encoding="utf-8")
    (written / "submit_QI.txt").unlink()
    with zipfile.ZipFile(written / "submit.zip", "a") as archive:
        archive.writestr("__MACOSX/._submit_QC.txt", "x")
    empty, missing, foreign, unlike = map(str, check_submission(written, tasks))
    assert empty.startswith("submit_QC.txt: files that nobody can read: 1, such as ")
    assert missing == "the submission: files missing: 1, such as submit_QI.txt"
    assert foreign == "submit.zip: files that no task file asks for: 1, such as __MACOSX/._submit_QC.txt"
    assert unlike == "submit.zip: files unlike those beside it: 1, such as submit_QC.txt"
    (written / "submit.zip").unlink()
    assert str(check_submission(written, tasks)[-1]) == "the submission: files missing: 1, such as submit.zip"


@pytest.mark.parametrize("content", [None, b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_zip_of_a_submission_is_said(tmp_path: Path, tasks: list[Path], content: bytes | None) -> None:
    path = tmp_path / "submit.zip"
    if content is None:
        with pytest.raises(DataError, match=r"there is no submission .*; name a folder or a zip"):
            check_submission(path, tasks)
        return
    path.write_bytes(content)
    if content == b"no zip":
        with pytest.raises(DataError, match=r"is no whole zip file .*; write the submission again"):
            check_submission(path, tasks)
    else:
        assert [fault.first for fault in check_submission(path, tasks)] == ["submit_QC.txt", "submit_QI.txt"]


def test_submissions_are_compared_by_task_and_language(tmp_path: Path, tasks: list[Path], written: Path) -> None:
    flipped = [row | {"prediction": 1 - row["prediction"]} if row["id"] == 1 else row for row in scored_rows()]
    write_submission([scored_file(tmp_path, flipped)], tasks, tmp_path / "other")
    found = compare_submissions(written, tmp_path / "other" / "submit.zip")
    counts = {(task, language): figures for task, language, *figures in found.counts.rows()}
    assert counts == {
        ("QC", "en"): [2, 0, 0, 0],
        ("QC", "fr"): [1, 1, 1, 0],
        ("QC", "vn"): [1, 0, 0, 0],
        ("QI", "en"): [3, 1, 1, 0],
    }
    assert found.differing.select("task", "id", "query", "first", "second").rows() == [
        ("QC", "1", "écouteurs", 1, 0),
        ("QI", "1", "Tea", 1, 0),
    ]
    assert compare_submissions(written, written).differing.is_empty()


def test_submissions_over_different_data_are_not_compared(tmp_path: Path, tasks: list[Path], written: Path) -> None:
    for name in ("one task", "other query", "broken"):
        (tmp_path / name).mkdir()
        for path in written.glob("*.txt"):
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
    (tmp_path / "one task" / "submit_QI.txt").unlink()
    with pytest.raises(DataError, match=r"only one of the submissions has submit_QI.txt; compare"):
        compare_submissions(written, tmp_path / "one task")
    changed(tmp_path / "other query", with_value("origin_query", "else"))
    with pytest.raises(DataError, match=r"cannot be compared: submit_QC.txt: queries that are not those of the task"):
        compare_submissions(written, tmp_path / "other query")
    changed(tmp_path / "broken", with_value("prediction", 7))
    with pytest.raises(DataError, match="predictions other than 0 and 1: 1, such as 7 at id 1"):
        compare_submissions(written, tmp_path / "broken")
    with pytest.raises(DataError, match=r"neither .* has submit_QC.txt or submit_QI.txt; name two submissions"):
        compare_submissions(tmp_path, tmp_path)


@settings(max_examples=25)
@given(
    st.dictionaries(
        st.integers(1, 10**12),
        st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.integers(0, 1)),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_is_scored_can_be_submitted_and_read_back(
    tmp_path_factory: pytest.TempPathFactory, answers: dict[int, tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    rows = [category_row(number, origin_query=query) for number, (query, _) in answers.items()]
    tasks = [json_lines(folder / "dev_QC.txt", rows)]
    said = [row | {"prediction": answers[row["id"]][1]} for row in rows]
    write_submission([json_lines(folder / "scored.jsonl", said)], tasks, folder / "out")
    read = {row["id"]: (row["origin_query"], row["prediction"]) for row in lines(folder / "out" / "submit_QC.txt")}
    assert read == answers
    assert list(read) == sorted(answers)
