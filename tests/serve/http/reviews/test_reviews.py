import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from shopglot.core.errors import DataError
from shopglot.curate.corrections import correct, reviewed
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.reviews.reviews import LEASE_SECONDS, Reviews
from shopglot.serve.http.reviews.state import Conflict
from tests.serve.review_files import review_file, suspects


@dataclass
class Clock:
    """A clock that goes on when it is told to."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def review(tmp_path: Path) -> Path:
    return review_file(tmp_path / "review.csv")


@pytest.fixture
def reviews(review: Path) -> Iterator[Reviews]:
    with Reviews(review) as opened:
        yield opened


def key(reviews: Reviews, name: str) -> str:
    return next(each.key for each in reviews.file.suspects if each.id == name)


def test_pairs_are_dealt_in_the_order_of_the_file_until_all_are_decided(reviews: Reviews) -> None:
    seen = []
    while dealt := reviews.deal("ana"):
        seen.append(dealt[0].suspect.id)
        reviews.decide(dealt[0].suspect.key, "keep", "ana", version=0)
    assert seen == [each.id for each in reviews.file.suspects]
    assert reviews.progress().left == 0


def test_two_people_are_dealt_different_pairs_until_the_time_is_over(review: Path) -> None:
    clock = Clock()
    with Reviews(review, clock) as reviews:
        of_ana = [each.suspect.id for each in reviews.deal("ana", count=2)]
        of_ben = [each.suspect.id for each in reviews.deal("ben", count=2)]
        assert (of_ana, of_ben) == (["QC-0", "QC-1"], ["QC-2", "QI-3"])
        assert [each.suspect.id for each in reviews.deal("ana", count=2)] == of_ana  # as after a reload
        assert reviews.elsewhere("ana") == ["ben"]
        clock.now += LEASE_SECONDS - 1
        reviews.deal("ana", count=0, held=[key(reviews, "QC-0")])
        clock.now += 1
        assert [each.suspect.id for each in reviews.deal("ben", count=3)] == ["QC-1", "QC-2", "QI-3"]
        assert reviews.elsewhere("ana") == ["ben"]


def test_what_a_person_has_before_the_eyes_is_not_dealt_again(reviews: Reviews) -> None:
    assert [each.suspect.id for each in reviews.deal("ana", held=[key(reviews, "QC-0")])] == ["QC-1"]
    assert [each.suspect.id for each in reviews.deal("ben")] == ["QC-2"]


def test_a_decision_on_what_another_has_changed_is_refused_and_says_what_stands(reviews: Reviews) -> None:
    first = key(reviews, "QC-0")
    reviews.decide(first, "flip", "ben", version=0, note="green tea it is")
    with pytest.raises(Conflict) as refused:
        reviews.decide(first, "keep", "ana", version=0)
    stands = refused.value.reviewed.state
    assert (refused.value.status, stands.choice, stands.person, stands.note) == (409, "flip", "ben", "green tea it is")
    assert reviews.find(first).state == stands
    assert reviews.decide(first, "keep", "ana", version=stands.version).version == 2
    with pytest.raises(Conflict):
        reviews.decide(first, "keep", "ana", version=7)


def test_a_decision_that_is_sent_twice_is_one(reviews: Reviews) -> None:
    first = key(reviews, "QC-0")
    once = reviews.decide(first, "flip", "ana", version=0, note="why")
    assert reviews.decide(first, "flip", "ana", version=0, note="why") == once
    with pytest.raises(Conflict):
        reviews.decide(first, "flip", "ana", version=0, note="another reason")


def test_undo_goes_back_one_decision_of_ones_own_after_the_other(reviews: Reviews) -> None:
    first, second, third = (key(reviews, name) for name in ("QC-0", "QC-1", "QC-2"))
    reviews.decide(first, "keep", "ana", version=0)
    reviews.decide(second, "keep", "ben", version=0, note="of ben")
    reviews.decide(second, "flip", "ana", version=1)
    reviews.decide(third, "skip", "ana", version=0)
    reviews.decide(third, "keep", "ben", version=1)  # so that it is ana's no longer
    last = reviews.last("ana")
    assert last is not None
    undone = reviews.undo("ana")
    assert undone is not None
    assert last.suspect == undone.suspect
    assert (undone.suspect.key, undone.state.choice, undone.state.person, undone.state.note) == (
        second,
        "keep",
        "ben",
        "of ben",
    )
    again = reviews.undo("ana")
    assert again is not None
    assert (again.suspect.key, again.state.choice) == (first, None)
    assert reviews.undo("ana") is None
    assert reviews.last("ana") is None
    assert [each.suspect.id for each in reviews.deal("ben", count=1)] == ["QI-3"]  # what is undone is ana's for now


def test_the_export_is_what_a_run_takes_as_corrections(reviews: Reviews, tmp_path: Path) -> None:
    pairs = suspects()
    choices = {"QC-0": "keep", "QC-1": "flip", "QC-2": "drop", "QI-3": "skip", "QC-4": "flip", "QC-5": "flip"}
    for name, choice in choices.items():
        reviews.decide(key(reviews, name), choice, "ana", version=0, note='a, "note"\nin two lines')  # type: ignore[arg-type]
    (tmp_path / "export.csv").write_bytes(reviews.export())
    changed, counts = correct(pairs, [tmp_path / "export.csv"])
    assert counts == {"confirmed": 1, "relabelled": 3, "dropped": 1, "reweighted": 0}
    assert changed["id"].to_list() == [name for name in pairs["id"] if name != "QC-2"]
    before = dict(pairs.frame.select("id", "label").iter_rows())
    flipped = {name for name, label in changed.frame.select("id", "label").iter_rows() if label != before[name]}
    assert flipped == {"QC-1", "QC-4", "QC-5"}
    assert reviewed([tmp_path / "export.csv"]) == ["QC-0", "QC-1", "QC-2", "QC-4", "QC-5"]
    written = pl.read_csv(tmp_path / "export.csv")
    given = pl.read_csv(reviews.file.path)
    assert written.select(given.drop("action").columns).equals(given.drop("action"))
    assert set(written.drop_nulls("decided_by")["decided_by"]) == {"ana"}


def test_the_export_can_be_reviewed_on(reviews: Reviews, tmp_path: Path) -> None:
    reviews.decide(key(reviews, "QC-0"), "flip", "ana", version=0, note="sure")
    reviews.decide(key(reviews, "QC-1"), "drop", "ben", version=0)
    (tmp_path / "on.csv").write_bytes(reviews.export())
    with Reviews(tmp_path / "on.csv") as on:
        assert on.progress() == reviews.progress()
        assert on.find(key(on, "QC-0")).state.person == "ana"
        assert on.decide(key(on, "QC-0"), "keep", "ben", version=0).version == 1
        assert on.export().count(b"ben") == 2
        on.undo("ben")
        assert on.find(key(on, "QC-0")).state.choice == "flip"
        assert on.export() == reviews.export()


def test_what_the_file_says_already_is_kept_as_it_is(tmp_path: Path) -> None:
    table = pl.read_csv(review_file(tmp_path / "review.csv"))
    action = pl.when(pl.col("id") == "QC-1").then(pl.lit(" Weight  0.3")).alias("action")
    table.with_columns(action).write_csv(tmp_path / "review.csv")
    with Reviews(tmp_path / "review.csv") as reviews:
        state = reviews.find(key(reviews, "QC-1")).state
        assert (state.choice, state.person, state.version) == ("weight 0.3", "review.csv", 0)
        assert reviews.progress().choices == {"weight 0.3": 1}
        (tmp_path / "export.csv").write_bytes(reviews.export())
    assert correct(suspects(), [tmp_path / "export.csv"])[1]["reweighted"] == 1


def test_json_lines_are_reviewed_too(tmp_path: Path) -> None:
    table = pl.read_csv(review_file(tmp_path / "review.csv"))
    table.with_columns(pl.lit(None, dtype=pl.String).alias("action")).write_ndjson(tmp_path / "lines.jsonl")
    with Reviews(tmp_path / "lines.jsonl") as reviews:
        reviews.decide(key(reviews, "QC-1"), "flip", "ana", version=0)
        (tmp_path / "export.csv").write_bytes(reviews.export())
    assert correct(suspects(), [tmp_path / "export.csv"])[1]["relabelled"] == 1


def test_an_own_list_of_pairs_is_enough(tmp_path: Path) -> None:
    pl.DataFrame({"id": ["QC-1"], "query": ["tea"], "target": ["food,tea"], "label": [1]}).write_csv(
        tmp_path / "own.csv"
    )
    with Reviews(tmp_path / "own.csv") as reviews:
        (dealt,) = reviews.deal("ana")
    assert dealt.suspect.levels == ("food,tea",)
    assert dealt.suspect.reasons == ()


def test_decisions_outlive_the_process_and_others_see_them_at_once(review: Path, reviews: Reviews) -> None:
    with Reviews(review) as other:
        reviews.decide(key(reviews, "QC-0"), "flip", "ana", version=0)
        assert other.find(key(other, "QC-0")).state.choice == "flip"
        assert other.notice is None
        assert [each.suspect.id for each in other.deal("ben")] == ["QC-1"]
        assert [each.suspect.id for each in reviews.deal("ana")] == ["QC-2"]


def test_another_review_file_keeps_the_decisions_that_still_apply_and_says_so(review: Path) -> None:
    pairs = suspects()
    with Reviews(review) as reviews:
        for name in ("QC-0", "QC-1", "QC-2"):
            reviews.decide(key(reviews, name), "flip", "ana", version=0)
    review_file(review, pairs.filter(pl.Series([n != 1 for n in range(8)])))
    with Reviews(review) as reviews:
        assert reviews.notice is not None
        assert "does not hold 1 of the 3 decided pairs" in reviews.notice
        assert reviews.progress().choices == {"flip": 2}
    review_file(review, pairs)
    with Reviews(review) as reviews:
        assert reviews.notice == "review.csv has changed since; all 3 decisions still hold"
        assert reviews.progress().choices == {"flip": 3}
    with Reviews(review) as reviews:
        assert reviews.notice is None
    edited = pl.read_csv(review).with_columns(label=pl.when(pl.col("id") == "QC-0").then(1).otherwise("label"))
    edited.write_csv(review)
    with Reviews(review) as reviews:
        assert reviews.find(key(reviews, "QC-0")).state.choice is None
        assert reviews.notice is not None


def test_a_pair_that_is_not_in_the_file_is_not_found(reviews: Reviews) -> None:
    for asked in (lambda: reviews.find("x"), lambda: reviews.decide("x", "keep", "ana", version=0)):
        with pytest.raises(ServeError) as refused:
            asked()
        assert refused.value.status == 404


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,query,target\n1,tea,food\n", "lacks label"),
        ("id,query,target,label\n", "nothing to review"),
        ("id,query,target,label\n1,tea,food,2\n", "line 2: the label of '1' is not 0 or 1"),
        ("id,query,target,label\n1,tea,food,\n", "line 2: the label of '1' is not 0 or 1"),
        ("id,query,target,label\n,tea,food,1\n", "line 2: it has no id"),
        ("id,query,target,label\n1,tea,food,1\n1,tea,drinks,1\n", "line 3: the id '1' stands in an earlier line"),
        ("id,query,target,label,action\n1,tea,food,1,maybe\n", "line 2: the action of '1'"),
        ("id,query,target,label,probability\n1,tea,food,1,high\n", "line 2: the probability of '1'"),
        ("", "review.csv"),
    ],
)
def test_a_file_that_is_no_review_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "review.csv").write_text(text)
    with pytest.raises(DataError) as refused:
        Reviews(tmp_path / "review.csv")
    assert said in str(refused.value)
    assert not (tmp_path / "review.sqlite3").exists()


def test_decisions_that_are_none_are_refused_and_left_as_they_are(review: Path, tmp_path: Path) -> None:
    kept = tmp_path / "review.sqlite3"

    def said() -> str:
        before = kept.read_bytes() if kept.is_file() else None
        with pytest.raises(DataError) as refused:
            Reviews(review)
        assert (kept.read_bytes() if kept.is_file() else None) == before
        return str(refused.value)

    kept.write_bytes(b"no database at all, but long enough to be looked at as if it were one" * 20)
    assert "file is not a database" in said()
    kept.unlink()
    with sqlite3.connect(kept) as other:
        other.execute("CREATE TABLE notes (text)")
    other.close()
    assert "belongs to another program" in said()
    kept.unlink()
    Reviews(review).close()
    with sqlite3.connect(kept) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    assert "newer shopglot" in said()
    kept.unlink()
    kept.mkdir()
    assert "a folder that can be written" in said()


def test_a_damaged_file_is_refused(review: Path, tmp_path: Path) -> None:
    with Reviews(review) as reviews:
        for each in reviews.deal("ana", count=8):
            reviews.decide(each.suspect.key, "keep", "ana", version=0, note="long " * 500)
    kept = tmp_path / "review.sqlite3"
    data = bytearray(kept.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    kept.write_bytes(data)
    with pytest.raises(DataError, match="put a copy back"):
        Reviews(review)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(review: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DataError, match="a folder that can be written"):
            Reviews(review)
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_is_said_and_the_next_decision_is_taken_again(reviews: Reviews) -> None:
    first, second = (key(reviews, name) for name in ("QC-0", "QC-1"))
    pages = reviews._connection.execute("PRAGMA page_count").fetchone()[0]
    reviews._connection.execute(f"PRAGMA max_page_count = {pages}")  # as SQLite itself tests a disk that is full
    with pytest.raises(ServeError) as refused:
        reviews.decide(first, "keep", "ana", version=0, note="long " * 10_000)
    assert refused.value.status == 503
    assert refused.value.message == "the reviews could not be saved (database or disk is full); nothing was changed"
    assert reviews.find(first).state.choice is None
    reviews._connection.execute("PRAGMA max_page_count = 100000")
    assert reviews.decide(second, "keep", "ana", version=0, note="long " * 10_000).version == 1


def test_a_file_that_is_moved_or_replaced_takes_no_decision_that_would_be_lost(review: Path, reviews: Reviews) -> None:
    first, moved = key(reviews, "QC-0"), review.with_suffix(".elsewhere")
    reviews.path.rename(moved)
    for _ in range(2):
        with pytest.raises(ServeError, match=r"review\.sqlite3 was moved or replaced; put it back") as refused:
            reviews.decide(first, "keep", "ana", version=0)
        assert refused.value.status == 503
        reviews.path.write_bytes(b"another")
    moved.replace(reviews.path)
    assert reviews.decide(first, "keep", "ana", version=0).version == 1


def test_a_note_is_no_formula_in_a_spreadsheet(reviews: Reviews) -> None:
    reviews.decide(key(reviews, "QC-0"), "keep", "@ana", version=0, note='=HYPERLINK("http://elsewhere.example")')
    row = pl.read_csv(reviews.export(), infer_schema=False).filter(id="QC-0")
    assert row["note"].item() == '\'=HYPERLINK("http://elsewhere.example")'
    assert row["decided_by"].item() == "'@ana"
