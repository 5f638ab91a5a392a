from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopglot.core.errors import DataError
from shopglot.core.pairs import Pairs
from shopglot.curate.read import Reading, read_pairs
from shopglot.curate.settings import CurateSettings
from tests.curate.files import category_row, item_row, json_lines, text_file

HEADER = "id,origin_query,item_title,label"
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"


def read(*paths: Path, **choices: Any) -> Reading:
    return read_pairs(paths, CurateSettings(), **choices)


def refused(reading: Reading) -> list[tuple[int, str]]:
    return list(reading.quarantine.select("line", "reason").iter_rows())


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as error:
        read(path)
    return str(error.value)


def test_json_lines_become_pairs_with_their_raw_texts(tmp_path: Path) -> None:
    rows = [
        category_row(7, origin_query=" Thé ", language="fr", translated_query="Tea", concept="tea", weight=2.5),
        item_row(8, label="0", annotator="ann"),
    ]
    pairs = read(json_lines(tmp_path / "train.txt", rows)).pairs
    columns = ["id", "query", "target", "language", "english", "label", "concept", "annotator", "weight"]
    assert pairs.frame.select(columns).rows() == [
        ("QC-7", " Thé ", "food,tea", "fr", "Tea", 1, "tea", None, 2.5),
        ("QI-8", "Tea", "Green Tea", "en", None, 0, None, "ann", 1.0),
    ]


def test_the_columns_of_the_file_travel_along_as_they_were(tmp_path: Path) -> None:
    rows = [category_row(1, price=3.5, tags=["a"]), category_row(2, price=None, tags=[])]
    own = read(json_lines(tmp_path / "a.jsonl", rows)).pairs.own_columns()
    assert own.to_dicts() == rows


@pytest.mark.parametrize("name", ["a.txt", "a.json", "a.JSONL", "a.jsonl.gz", "a.txt.gz"])
def test_json_lines_have_many_suffixes(tmp_path: Path, name: str) -> None:
    assert len(read(json_lines(tmp_path / name, [category_row()])).pairs) == 1


def test_rows_without_a_label_are_read(tmp_path: Path) -> None:
    absent = category_row(1)
    del absent["label"]
    path = json_lines(tmp_path / "dev.txt", [absent, category_row(2, label=None), category_row(3, label=1)])
    assert read(path).pairs["label"].to_list() == [None, None, 1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": 2, "task"', "not valid JSON"),
        ('{"id": 2, "weight": NaN}', "NaN and Infinity are no JSON; write null"),
        ("[1, 2]", "not a JSON object"),
        ("null", "not valid JSON"),
        (b'{"id": 2, "origin_query": "\xff"}', "not valid UTF-8"),
        (category_row(2, origin_query=["tea"]), "a list, an object or a truth value stands where a text or number "
         "belongs"),
        (category_row(2, label="yes"), "the label yes is not 0 or 1"),
        (category_row(2, label=2), "the label 2 is not 0 or 1"),
        (category_row(2, task="QX"), "the task QX is neither QC nor QI"),
        (category_row(2, id=None), "no id"),
        (category_row(2, weight=-1), "the weight -1.0 is not a number from 0 up"),
        (category_row(2, category_path="food,,tea"), "a level of the category path is empty"),
        (category_row(2, category_path="food, ,tea"), "a level of the category path is empty"),
        (category_row(2, category_path="food,"), "a level of the category path is empty"),
        (category_row(2, category_path=",".join("abcdefghijklmnopq")), "the category path has more than 16 levels"),
        ({"id": 2, "task": "QC", "category_path": "food"}, "no field 'origin_query'"),
        ({"id": 2, "task": "QC", "origin_query": "tea"}, "no field 'category_path'"),
        (category_row(1, origin_query="other"), "the id QC-1 stands before in {file} line 1"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_set_aside_with_its_line(tmp_path: Path, line: Any, reason: str) -> None:
    path = json_lines(tmp_path / "train.txt", [category_row(1, weight=1.0), "", line, category_row(3)])
    reading = read(path)
    assert refused(reading) == [(3, reason.format(file=path))]
    assert reading.pairs["id"].to_list() == ["QC-1", "QC-3"]
    assert reading.rows == 3
    assert reading.quarantine["file"].to_list() == [str(path)]


def test_one_broken_line_changes_nothing_about_the_others(tmp_path: Path) -> None:
    rows = [category_row(1, label="1"), category_row(2, label=0, extra={"a": [1]}), item_row(2)]
    whole = read(json_lines(tmp_path / "whole.txt", rows)).pairs.frame
    broken = read(json_lines(tmp_path / "broken.txt", [*rows[:2], "{", rows[2]])).pairs.frame
    assert whole.equals(broken)


def test_a_query_may_hold_the_mark_of_damage_when_the_file_is_whole(tmp_path: Path) -> None:
    reading = read(json_lines(tmp_path / "a.txt", [category_row(1, origin_query="t\ufffda")]))
    assert reading.pairs["query"].to_list() == ["t\ufffda"]


def test_a_quarantined_row_shows_how_it_begins(tmp_path: Path) -> None:
    broken = "{" + "x" * 500
    lines = read(json_lines(tmp_path / "a.txt", [broken, category_row()]))
    assert lines.quarantine["text"].to_list() == [broken[:200]]
    csv = read(text_file(tmp_path / "b.csv", HEADER, "1,tea,Tea,yes", "2,tea,Tea,1"))
    assert csv.quarantine["text"].to_list() == ['{"id":"1","origin_query":"tea","item_title":"Tea","label":"yes"}']


def test_empty_queries_and_missing_titles_are_kept(tmp_path: Path) -> None:
    rows = [
        item_row(1, item_title=None),
        item_row(2, item_title=""),
        item_row(3, origin_query=""),
        item_row(4, origin_query=None),
    ]
    reading = read(json_lines(tmp_path / "a.txt", rows))
    assert reading.pairs.frame.select("query", "target").rows() == [
        ("Tea", ""),
        ("Tea", ""),
        ("", "Green Tea"),
        ("", "Green Tea"),
    ]


def test_files_of_both_tasks_share_ids(tmp_path: Path) -> None:
    files = json_lines(tmp_path / "qc.txt", [category_row(1)]), json_lines(tmp_path / "qi.txt", [item_row(1)])
    reading = read(*files)
    assert reading.pairs["id"].to_list() == ["QC-1", "QI-1"]
    assert reading.pairs["own:category_path"].to_list() == ["food,tea", None]


def test_an_id_that_another_file_of_the_task_has_is_set_aside(tmp_path: Path) -> None:
    files = [
        json_lines(tmp_path / f"{name}.txt", [category_row(1), category_row(number)])
        for name, number in (("a", 2), ("b", 3))
    ]
    reading = read(*files)
    assert reading.pairs["id"].to_list() == ["QC-1", "QC-2", "QC-3"]
    assert refused(reading) == [(1, f"the id QC-1 stands before in {files[0]} line 1")]


def test_scoring_reads_repeated_ids_and_labels_of_any_kind(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.txt", [category_row(1), category_row(1), category_row(2, label="yes"), "{"])
    reading = read(path, training=False)
    assert reading.pairs.frame.select("id", "label").rows() == [("QC-1", 1), ("QC-1", 1), ("QC-2", None)]
    assert refused(reading) == [(4, "not valid JSON")]


def test_the_task_of_a_row_is_said_by_its_target_when_it_names_none(tmp_path: Path) -> None:
    rows = [category_row(1), item_row(2), category_row(3, item_title="Tea")]
    unnamed = [{key: value for key, value in row.items() if key != "task"} for row in rows]
    path = json_lines(tmp_path / "a.txt", unnamed)
    assert read(path).pairs["id"].to_list() == ["QC-1", "QI-2"]
    assert read(path, task="QI").pairs["id"].to_list() == ["QC-1", "QI-2", "QI-3"]


def test_rows_without_an_id_column_are_named_by_their_place(tmp_path: Path) -> None:
    path = text_file(tmp_path / "a.csv", "origin_query,item_title", "tea,Green Tea", "tea,Black Tea")
    assert read(path).pairs["id"].to_list() == ["QI-a.csv:2", "QI-a.csv:3"]


def test_a_csv_keeps_every_value_as_it_was_written(tmp_path: Path) -> None:
    path = text_file(
        tmp_path / "a.csv", "id,task,origin_query,translated_query,category_path,label",
        '007,QC,"Tea, ""green""",nan,"food,tea",1.0', "8,QC,5\" pipe,,food,0", "9,QC,,,food,",
    )  # fmt: skip
    pairs = read(path).pairs
    assert pairs.frame.select("id", "query", "english", "label").rows() == [
        ("QC-007", 'Tea, "green"', "nan", 1),
        ("QC-8", '5" pipe', None, 0),
        ("QC-9", "", None, None),
    ]
    assert pairs["own:label"].to_list() == ["1.0", "0", ""]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2,tea", "fields: 2, where the header names 4"),
        ("2,tea,Green Tea,1,extra", "fields: 5, where the header names 4"),
        ('2,"tea" green,Green Tea,1', "a field or its quotes cannot be read: ',' expected after '\"'"),
    ],
)
def test_a_ragged_row_is_set_aside_and_the_rows_after_it_keep_their_lines(
    tmp_path: Path, line: str, reason: str
) -> None:
    path = text_file(tmp_path / "a.csv", HEADER, '1,"two\nlines",Tea,1', line, "", "3,tea,Tea,maybe", "4,tea,Tea,0")
    reading = read(path)
    assert refused(reading) == [(4, reason), (6, "the label maybe is not 0 or 1")]
    assert reading.pairs["query"].to_list() == ["two\nlines", "tea"]


def test_a_csv_line_in_another_encoding_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"{HEADER}\n1,th\xe9,Tea,1\n2,tea,Tea,1\n".encode("latin-1"))
    reading = read(path)
    assert refused(reading) == [(2, "not valid UTF-8")]
    assert reading.pairs["id"].to_list() == ["QI-2"]


def test_windows_line_ends_and_byte_order_marks_are_no_text(tmp_path: Path) -> None:
    csv, lines = tmp_path / "a.csv", tmp_path / "b.txt"
    csv.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n1,tea,Tea,1\r\n".encode())
    lines.write_bytes(b"\xef\xbb\xbf" + json_lines(lines, [item_row(2)]).read_bytes().replace(b"\n", b"\r\n"))
    reading = read(csv, lines)
    assert reading.pairs["id"].to_list() == ["QI-1", "QI-2"]
    assert reading.quarantine.is_empty()


def test_a_tsv_and_a_parquet_file_read_like_a_csv(tmp_path: Path) -> None:
    rows = ["1,tea,Green Tea,1", "2,mug,Cup,0"]
    csv = text_file(tmp_path / "a.csv", HEADER, *rows)
    tsv = text_file(tmp_path / "a.tsv", HEADER.replace(",", "\t"), *(row.replace(",", "\t") for row in rows))
    parquet = tmp_path / "a.parquet"
    pl.read_csv(csv).write_parquet(parquet)
    core = [read(path).pairs.frame.select("id", "query", "target", "label") for path in (csv, tsv, parquet)]
    assert core[0].equals(core[1])
    assert core[0].equals(core[2])


CELL = st.text(st.sampled_from('ab",\n\r é\t'), max_size=6)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=4))
def test_what_a_csv_was_written_from_is_read_again(tmp_path: Path, cells: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(cells, schema=["origin_query", "item_title"], orient="row").with_row_index("id")
    path = tmp_path / "a.csv"
    frame.write_csv(path, quote_style="always")
    assert read(path).pairs.own_columns().rows() == [(str(row), *texts) for row, texts in enumerate(cells)]


def test_esci_files_are_read(tmp_path: Path) -> None:
    path = text_file(
        tmp_path / "esci.csv",
        "example_id,query,query_id,product_id,product_locale,esci_label,product_title,product_brand",
        "1,tea,5,B1,us,Exact,Green Tea,leaf", "2,tea,5,B2,jp,S,Black Tea,", "3,tea,5,B3,es,Complement,Mug,",
        "4,tea,5,B4,us,I,Chair,", "5,tea,5,B5,us,Great,Tea,",
    )  # fmt: skip
    reading = read(path)
    columns = ["id", "query", "target", "label", "language", "own:product_brand"]
    assert reading.pairs.frame.select(columns).rows() == [
        ("QI-1", "tea", "Green Tea", 1, "us", "leaf"),
        ("QI-2", "tea", "Black Tea", 1, "jp", ""),
        ("QI-3", "tea", "Mug", 0, "es", ""),
        ("QI-4", "tea", "Chair", 0, "us", ""),
    ]
    assert refused(reading)[0][0] == 6
    strict = read_pairs([path], CurateSettings(esci_relevant=("Exact",)))
    assert strict.pairs["label"].to_list() == [1, 0, 0, 0]


def wands(folder: Path, *labels: str) -> Path:
    folder.mkdir(exist_ok=True)
    text_file(
        folder / "query.csv", "query_id\tquery\tquery_class", "0\tsalon chair\tMassage Chairs", "1\tking bed\tBeds"
    )
    text_file(
        folder / "product.csv", "product_id\tproduct_name\tproduct_class\tcategory hierarchy\tproduct_features",
        "7\tstyling chair\tChairs\tHome / Chairs\tcolour:black", '8\t"5"" pipe"\tPipes\tHome\t',
    )  # fmt: skip
    text_file(folder / "label.csv", "id\tquery_id\tproduct_id\tlabel", *labels)
    return folder


def test_a_wands_folder_is_read(tmp_path: Path) -> None:
    folder = wands(
        tmp_path, "0\t0\t7\tExact", "1\t0\t8\tIrrelevant", "2\t1\t7\tPartial", "3\t9\t7\tExact", "4\t1\t6\tExact"
    )
    reading = read(folder)
    assert reading.pairs.frame.select("id", "query", "target", "label", "language").rows() == [
        ("QI-0", "salon chair", "styling chair", 1, "en"),
        ("QI-1", "salon chair", '5" pipe', 0, "en"),
        ("QI-2", "king bed", "styling chair", 1, "en"),
    ]
    assert refused(reading) == [(5, "query.csv has no query_id 9"), (6, "product.csv has no product_id 6")]
    assert reading.pairs["own:category hierarchy"].to_list() == ["Home / Chairs", "Home", "Home / Chairs"]


def test_a_folder_that_lacks_a_file_of_wands_is_refused(tmp_path: Path) -> None:
    (wands(tmp_path) / "product.csv").unlink()
    assert "lacks product.csv" in refusal(tmp_path)


def test_no_files_are_refused() -> None:
    with pytest.raises(DataError, match="no files"):
        read()


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    assert "there is no file" in refusal(tmp_path / "train.txt")


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl.gz"])
@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    if name.endswith(".gz") and content:
        json_lines(tmp_path / name, [content])
    assert "is empty" in refusal(tmp_path / name)


def test_a_file_of_nothing_but_a_header_is_refused(tmp_path: Path) -> None:
    assert "has no rows" in refusal(text_file(tmp_path / "a.csv", HEADER))


def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    assert ".parquet" in refusal(text_file(tmp_path / "a.xlsx", "x"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_by_its_name(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{HEADER}\n1,tea,Tea,1\n", encoding=encoding)
    assert "UTF-16" in refusal(path)


def test_a_gzip_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl.gz", [category_row(number) for number in range(99)])
    path.write_bytes(path.read_bytes()[:-20])
    assert "not a whole gzip file" in refusal(path)


def test_a_broken_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame(item_row()).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "not a whole Parquet file" in refusal(path)


def test_a_misspelt_column_is_named_beside_the_one_that_is_missing(tmp_path: Path) -> None:
    path = text_file(tmp_path / "a.csv", "id,orign_query,item_title", "1,tea,Tea")
    assert "no column 'origin_query'; is 'orign_query' meant" in refusal(path)


def test_a_file_without_a_target_is_refused(tmp_path: Path) -> None:
    path = text_file(tmp_path / "a.csv", "id,origin_query,price", "1,tea,3")
    assert "'category_path' or 'item_title'; its columns are id, origin_query, price" in refusal(path)


def test_a_column_of_lists_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame([item_row(item_title=["Tea"])]).write_parquet(path)
    assert "the column 'item_title'" in refusal(path)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "one name" in refusal(text_file(tmp_path / "a.csv", "id,origin_query,item_title,id", "1,tea,Tea,2"))


def test_fields_that_change_their_shape_are_refused(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.txt", [category_row(1, extra={"a": 1}), category_row(2, extra=[1])])
    assert "do not fit into one table" in refusal(path)


@pytest.mark.parametrize("rows", [["{", "nonsense"], [category_row(1, label="yes"), "{"]])
def test_a_file_without_one_good_row_is_refused_with_the_first_reason(tmp_path: Path, rows: list[Any]) -> None:
    assert "every row" in refusal(json_lines(tmp_path / "a.txt", rows))


def test_the_real_benchmark_is_read_whole() -> None:
    path = SHARED / "shopify_qc" / "dev_QC.txt"
    if not path.exists():
        pytest.skip("the benchmark data is not at hand")
    reading = read(path)
    assert (reading.rows, reading.quarantine.height) == (7_837, 0)


def test_the_real_esci_rows_are_read_whole() -> None:
    path = SHARED / "esci_small" / "esci_200_us_rows.csv"
    if not path.exists():
        pytest.skip("the ESCI rows are not at hand")
    pairs: Pairs = read(path).pairs
    assert len(pairs) == 200
    assert int(pairs.labels.sum()) == 187


@pytest.mark.parametrize("value", [b"tea", [b"tea"], {"a": b"tea"}])
def test_a_parquet_column_of_bytes_is_refused_by_its_name(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame([item_row(picture=value)]).write_parquet(path)
    assert "a.parquet holds bytes in picture" in refusal(path)


@pytest.mark.parametrize(("one", "other"), [(1, {"a": 1}), ({"a": 1}, "x"), ([1], {"a": 1}), (1, [1])])
def test_a_column_of_objects_in_one_file_and_numbers_in_another_is_refused(
    tmp_path: Path, one: Any, other: Any
) -> None:
    files = [
        json_lines(tmp_path / f"{number}.txt", [category_row(number, price=value)])
        for number, value in enumerate([None, one, other])
    ]
    with pytest.raises(DataError, match=r"only one holds lists or objects in 'price'|in different types"):
        read(*files)
