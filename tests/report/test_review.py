from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from shopglot.core.errors import DataError
from shopglot.curate.corrections import correct
from shopglot.report.audit import REVIEW, Known, audit_labels
from shopglot.report.review import check_review, noise_table, outcome, write_review
from tests.report.made_up import judged

EVIDENCE = judged("out-of-fold", folds=3)
AUDIT = audit_labels(EVIDENCE.pairs, EVIDENCE)


def printed(*things: object) -> str:
    console = Console(width=100)
    with console.capture() as captured:
        for thing in things:
            console.print(thing)
    return captured.get()


@pytest.mark.parametrize("name", ["review.csv", "review.jsonl"])
def test_what_was_written_and_edited_is_taken_back(tmp_path: Path, name: str) -> None:
    path, edited = tmp_path / name, tmp_path / f"edited-{name}"
    write_review(AUDIT.within(0.1), path)
    rows = pl.read_csv(path, infer_schema=False) if path.suffix == ".csv" else pl.read_ndjson(path)
    assert rows.columns == list(REVIEW)
    write_review(rows.with_columns(action=pl.lit("flip")), edited)
    corrected, counts = correct(EVIDENCE.pairs, [edited])
    assert counts["relabelled"] == rows.height == 30
    changed = corrected.filter(corrected["label"] != EVIDENCE.pairs["label"])
    assert sorted(changed["id"]) == sorted(rows["id"])


def test_a_review_that_someone_may_have_edited_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    write_review(AUDIT.within(0.1), path)
    write_review(AUDIT.within(0.1), path)  # the same again is no loss
    edited = path.read_text().replace(",\n", ",flip\n", 1)
    path.write_text(edited)
    with pytest.raises(DataError, match=r"review\.csv is there already and holds something else; name another file"):
        write_review(AUDIT.within(0.1), path)
    assert path.read_text() == edited
    with pytest.raises(DataError, match="is there already"):
        write_review(AUDIT.within(0.1), tmp_path)


def test_a_review_is_written_in_a_format_that_a_person_can_edit() -> None:
    check_review(Path("review.csv"))
    with pytest.raises(DataError, match=r"cannot write 'review\.parquet'; give --out a name that ends in \.csv or"):
        check_review(Path("review.parquet"))


def test_the_table_has_each_slice_and_marks_what_rests_on_few_pairs() -> None:
    text = printed(noise_table(AUDIT, "tiny"))
    for part in ("tiny: doubtful labels", "QC", "language: ja", "category: shoes", "100 "):
        assert part in text


def test_the_outcome_says_what_could_not_be_audited_and_how_good_the_list_is() -> None:
    known = Known(listed=30, found=20, flipped=40, everywhere=60)
    text = printed(*outcome(AUDIT, 30, known))
    assert "30 of 300 audited labels are listed" in text
    assert "a precision of 66.7 %" in text
    assert "a recall of 50.0 %" in text
    assert "no score" not in text
    assert len(outcome(AUDIT, 30, None)) == 1
