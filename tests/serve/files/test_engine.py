from pathlib import Path

import polars as pl
import pytest

from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings
from shopglot.serve.files.engine import Engine
from shopglot.serve.files.settings import EngineSettings
from tests.serve.deciders import ByText, score

ROWS = pl.DataFrame(
    {
        "task": ["QC", "QI", "QX", "QC", "QC"],
        "origin_query": ["Tea", "mug", "pot", "", " tea "],
        "category_path": ["food,tea", None, None, "home,pots", "food,tea"],
        "item_title": [None, "A Mug", "A Pot", None, None],
        "shelf": [1, 2, 3, 4, 5],
    }
)


def test_a_table_is_scored_like_a_file_with_its_bad_rows_apart(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    ROWS.write_parquet(path)
    score([path], tmp_path / "scored.parquet")
    engine = Engine(ByText().knowing(["food,tea"]))
    scored, quarantine = engine.score_table(ROWS, str(path), first_line=1)
    assert scored.drop("id").equals(pl.read_parquet(tmp_path / "scored.parquet").drop("id"))
    assert quarantine.select("file", "line", "reason").rows() == [(str(path), 3, "the task QX is neither QC nor QI")]


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_what_becomes_of_a_row_does_not_depend_on_the_table_it_comes_in(rows: int) -> None:
    whole = Engine(ByText()).score_table(ROWS, "f", 1)
    engine = Engine(ByText(), EngineSettings(remember=2))
    parts = [engine.score_table(ROWS.slice(start, rows), "f", start + 1) for start in range(0, ROWS.height, rows)]
    assert pl.concat(scored for scored, _ in parts if scored.width).equals(whole[0])
    assert pl.concat(quarantine for _, quarantine in parts).equals(whole[1])


def test_a_table_without_a_pair_is_all_quarantine() -> None:
    scored, quarantine = Engine(ByText()).score_table(ROWS[2:3], "f", 7)
    assert scored.is_empty()
    assert quarantine["line"].to_list() == [7]


def test_an_answer_is_learned_once() -> None:
    pairs = Pairs.from_frame(pl.DataFrame({"task": "QI", "query": ["tea", "tea", "mug"], "target": ["x", "x", "y"]}))
    engine = Engine(ByText())
    first, second = engine.score(pairs), engine.score(pairs)
    assert (first.learned.height, second.learned.height) == (2, 0)
    assert first.decided.probability.tolist() == second.decided.probability.tolist()
    assert first.decided.probability[0] == first.decided.probability[1]


def test_languages_are_told_only_for_a_model_that_reads_them() -> None:
    spanish = pl.DataFrame(
        {"task": "QI", "query": ["zapatillas deportivas para mujer"], "target": "x", "language": "en"}
    )
    for read, language in (((), "en"), (("language",), "es")):
        engine = Engine(ByText(CurateSettings(languages=("en", "es")), columns_read=read))
        assert engine.clean(Pairs.from_frame(spanish))[0]["language"].to_list() == [language]
