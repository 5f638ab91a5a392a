import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopglot.core.errors import BundleError, DataError
from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decided
from shopglot.serve.files.journal import locked
from tests.curate.files import category_row, item_row, json_lines
from tests.serve.deciders import ByText, Stopped, score

ROWS: list[Any] = [
    row
    for number in range(6)
    for row in (
        category_row(number, origin_query=f"tea {number % 5}", category_path=f"food,tea,leaf {number % 3}"),
        item_row(number, origin_query=f"mug {number % 4}", price=number, tags=["a"] * (number % 2)),
        category_row(number, origin_query="" if number % 6 else "pot", language="fr"),
        "{broken" if number % 3 == 0 else item_row(number, item_title="nan", price=None),
    )
] + [item_row(99, price=0.5, late="only here")]


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def rejected(out: Path) -> list[str]:
    path = out.with_name(f"{out.stem}.quarantine.jsonl")
    return lines(path) if path.exists() else []


def separated(path: Path, separator: str = ",") -> Path:
    """Write rows with line breaks in quotes, ragged ones, and ones without an end to their quotes."""
    rows = [f'{n},"tea\n{n % 4}","food,tea,leaf {n % 3}"' for n in range(12)]
    text = "\n".join(["id,origin_query,category_path", *rows[:5], '7,"open', "8,short", *rows[5:], ""])
    path.write_text(text.replace(",", separator) if separator != "," else text, encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=["jsonl.gz", "csv", "parquet", "two files"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, kind = tmp_path_factory.mktemp("files"), request.param
    if kind == "two files":
        return [json_lines(folder / "a.jsonl", ROWS[-6:]), separated(folder / "b.csv")]
    path = folder / f"a.{kind}"
    if kind == "csv":
        return [separated(path)]
    if kind == "parquet":
        pl.DataFrame([row for row in ROWS if isinstance(row, dict)], infer_schema_length=None).write_parquet(path)
        return [path]
    return [json_lines(path, ROWS)]


@pytest.mark.parametrize(("suffix", "chunk_bytes"), [(".jsonl", 150), (".parquet", 1_000)])
def test_the_same_rows_come_out_whatever_the_size_of_a_chunk(
    files: list[Path], tmp_path: Path, suffix: str, chunk_bytes: int
) -> None:
    whole, chunked = tmp_path / f"whole{suffix}", tmp_path / f"chunked{suffix}"
    counts = score(files, whole)
    assert score(files, chunked, chunk_bytes=chunk_bytes, remember=7) == counts
    if suffix == ".parquet":
        assert pl.read_parquet(chunked).equals(pl.read_parquet(whole))
    else:
        assert chunked.read_bytes() == whole.read_bytes()
    assert rejected(chunked) == rejected(whole)
    assert not list(tmp_path.glob("*.parts"))


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(ROWS), min_size=1, max_size=8), st.integers(1, 900), st.integers(1, 30))
def test_any_rows_come_out_the_same_in_chunks_of_any_size(
    tmp_path: Path, rows: list[Any], chunk_bytes: int, remember: int
) -> None:
    path = json_lines(tmp_path / "a.jsonl", [ROWS[0], *rows])
    score([path], tmp_path / "whole.jsonl")
    score([path], tmp_path / "chunked.jsonl", chunk_bytes=chunk_bytes, remember=remember)
    assert (tmp_path / "chunked.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_each_distinct_pair_is_asked_for_once_in_all_files(files: list[Path], tmp_path: Path) -> None:
    decider = ByText()
    score(files, tmp_path / "scored.jsonl", decider, chunk_bytes=150)
    assert decider.asked
    assert len(set(decider.asked)) == len(decider.asked)


@pytest.mark.parametrize(("read", "times"), [((), 1), (("language",), 2), (("own:brand",), 2), (("^own:.*$",), 3)])
def test_a_pair_is_another_one_where_what_the_model_reads_differs(
    tmp_path: Path, read: tuple[str, ...], times: int
) -> None:
    rows = [item_row(1, brand="a"), item_row(1, brand="a", language="fr"), item_row(2, brand="b")]
    decider = ByText(columns_read=read)
    score([json_lines(tmp_path / "a.jsonl", [*rows, *rows])], tmp_path / "scored.jsonl", decider)
    assert len(decider.asked) == times


def test_every_row_is_scored_by_a_model_that_knows_the_paths_of_all_rows(tmp_path: Path) -> None:
    rows = [category_row(1, category_path="Food > Tea"), category_row(2, category_path="home,pots", origin_query="")]
    path = json_lines(tmp_path / "a.jsonl", [*rows, category_row(3, category_path="toys"), item_row(4)])
    alone, decider = ByText(), ByText()
    score([path], tmp_path / "scored.jsonl", decider, chunk_bytes=1)
    known = alone.knowing(["food,tea", "toys"])
    asked = Pairs.from_frame(pl.DataFrame({"task": ["QC"], "query": ["tea"], "target": ["food,tea"]}))
    assert pl.read_ndjson(tmp_path / "scored.jsonl")["score"][0] == known.score_clean(asked).probability[0]


def test_the_language_is_told_among_those_of_all_chunks_where_the_model_reads_it(tmp_path: Path) -> None:
    spanish = "zapatillas deportivas para mujer"
    rows = [item_row(1, origin_query=spanish), item_row(2, origin_query="mochila escolar", language="es")]
    decider = ByText(CurateSettings(), columns_read=("language",))
    counts = score([json_lines(tmp_path / "a.jsonl", rows)], tmp_path / "scored.jsonl", decider, chunk_bytes=1)
    assert [row[-1] for row in decider.asked] == ["es", "es"]
    assert counts["languages corrected"] == 1


def stopped(files: list[Path], out: Path, after: int, *, chunk_bytes: int = 200) -> ByText:
    """Score until so many chunks with new pairs are decided."""
    decider = ByText(last=after)
    with pytest.raises(Stopped):
        score(files, out, decider, chunk_bytes=chunk_bytes)
    return decider


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_scoring_that_was_stopped_goes_on_where_it_was(files: list[Path], tmp_path: Path, suffix: str) -> None:
    whole, out = tmp_path / f"whole{suffix}", tmp_path / f"scored{suffix}"
    counts = score(files, whole, chunk_bytes=200)
    asked = stopped(files, out, 1).asked
    assert not out.exists()
    later = ByText()
    assert score(files, out, later, chunk_bytes=200) == counts
    assert out.read_bytes() == whole.read_bytes()
    assert later.asked
    assert not set(asked).intersection(later.asked)
    assert not (tmp_path / f"scored{suffix}.parts").exists()


def test_a_scoring_that_fails_before_its_first_part_leaves_nothing(tmp_path: Path) -> None:
    stopped([json_lines(tmp_path / "a.jsonl", ROWS)], tmp_path / "scored.jsonl", 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "model.json", "scored.quarantine.jsonl"]


def change_input(folder: Path) -> None:
    with (folder / "a.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")


def change_model(folder: Path) -> None:
    (folder / "model.json").write_text("[]", encoding="utf-8")


@pytest.mark.parametrize(("change", "said"), [(change_input, "another is input;"), (change_model, "another is model;")])
def test_parts_of_another_input_or_model_are_not_taken_up(tmp_path: Path, change: Any, said: str) -> None:
    path, out = json_lines(tmp_path / "a.jsonl", ROWS), tmp_path / "scored.jsonl"
    stopped([path], out, 1)
    change(tmp_path)
    with pytest.raises(DataError, match=said):
        score([path], out, chunk_bytes=200)
    shutil.rmtree(tmp_path / "scored.jsonl.parts")
    assert score([path], out, chunk_bytes=200)["rows"] == len(ROWS)


class Growing(ByText):
    """A model during whose work a row is added to the file."""

    def knowing(self, paths: Any) -> "Growing":
        return self

    def score_clean(self, pairs: Pairs) -> Decided:
        with Path(self.columns_read[0]).open("a", encoding="utf-8") as file:
            file.write("{}\n")
        return ByText().score_clean(pairs)


def test_a_file_that_grows_while_it_is_read_ends_the_scoring_and_leaves_nothing(tmp_path: Path) -> None:
    path, out = json_lines(tmp_path / "a.jsonl", ROWS), tmp_path / "scored.jsonl"
    with pytest.raises(DataError, match=r"a\.jsonl has changed while it was read; score it again when"):
        score([path], out, Growing(columns_read=(str(path),)), chunk_bytes=200)
    assert not out.exists()
    assert not out.with_name("scored.jsonl.parts").exists()


def test_two_scorings_never_write_one_file(tmp_path: Path) -> None:
    path, out = json_lines(tmp_path / "a.jsonl", ROWS), tmp_path / "scored.jsonl"
    with locked(tmp_path / "scored.jsonl.parts", out), pytest.raises(DataError, match="another process is writing"):
        score([path], out)
    score([path], out)


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_ends_a_scoring_that_goes_on_once_there_is_room(tmp_path: Path) -> None:
    path, out = json_lines(tmp_path / "a.jsonl", ROWS), tmp_path / "scored.jsonl"
    score([path], tmp_path / "whole.jsonl", chunk_bytes=1_000)
    largest = (tmp_path / "whole.jsonl").stat().st_size
    with no_file_larger_than(largest - 1), pytest.raises(OSError, match=r"scored\.jsonl"):
        score([path], out, chunk_bytes=1_000)
    assert not out.exists()
    assert not list(tmp_path.rglob("*.part"))
    later = ByText()
    score([path], out, later, chunk_bytes=1_000)
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert later.asked == []


@pytest.mark.parametrize("share", [0.0, 0.07])
def test_more_bad_rows_than_may_be_end_a_scoring_before_the_model_is_asked(tmp_path: Path, share: float) -> None:
    from shopglot.serve.files.stream import Scoring, begun, survey_files

    path = json_lines(tmp_path / "a.jsonl", ROWS)
    scoring = Scoring((path,), tmp_path / "scored.jsonl", max_bad_rows=share)
    with pytest.raises(DataError, match=r"2 of 25 rows are bad"), begun(scoring, path) as journal:
        survey_files(scoring, ByText(), journal)
    assert len(lines(tmp_path / "scored.quarantine.jsonl")) == 2


PROGRAM = """
import sys, time
from pathlib import Path
from tests.serve import deciders
from shopglot.merge.decide import Decided

class Slow(deciders.ByText):
    def score_clean(self, pairs):
        time.sleep(0.02)
        return super().score_clean(pairs)
    def knowing(self, paths):
        return Slow(paths=tuple(sorted(paths)))

deciders.score([Path(sys.argv[1])], Path(sys.argv[2]), Slow(), chunk_bytes=1_000)
"""


def test_a_process_killed_at_any_point_and_started_again_writes_the_same_bytes(tmp_path: Path) -> None:
    path, out = tmp_path / "a.jsonl.gz", tmp_path / "scored.jsonl"
    rows = [item_row(n, origin_query=f"tea {n % 211}", item_title=f"Tea {n % 37}") for n in range(300)]
    json_lines(path, [*rows, "{", *ROWS])
    score([path], tmp_path / "whole.jsonl")
    root, draw, killed = Path(__file__).parents[3], random.Random(7), 0
    command = [sys.executable, "-c", PROGRAM, str(path), str(out)]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}", "POLARS_MAX_THREADS": "1"}
    while not out.exists():
        running = subprocess.Popen(command, env=environment)
        parts = len(list(tmp_path.glob("*.parts/*.json")))
        until = parts + draw.randint(8, 20)
        while running.poll() is None and len(list(tmp_path.glob("*.parts/*.json"))) < until:
            time.sleep(0.005)
        time.sleep(draw.random() * 0.03)
        running.send_signal(signal.SIGKILL)
        killed += running.wait() == -signal.SIGKILL
    assert killed >= 2
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_packed_file_that_is_cut_off_is_refused_before_anything_is_scored(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl.gz", ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    decider = ByText()
    with pytest.raises(DataError, match="is not a whole gzip file"):
        score([path], tmp_path / "scored.jsonl", decider)
    assert decider.asked == []


def test_a_task_that_the_model_does_not_know_ends_the_scoring(tmp_path: Path) -> None:
    class Refusing(ByText):
        def score_clean(self, pairs: Pairs) -> Decided:
            raise BundleError("the model decides QC, not QI")

        def knowing(self, paths: Any) -> "Refusing":
            return self

    with pytest.raises(BundleError, match="not QI"):
        score([json_lines(tmp_path / "a.jsonl", ROWS)], tmp_path / "scored.jsonl", Refusing())
