import pickle
import random
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from shopglot.core.errors import ClusterError, DataError, RecipeError
from shopglot.core.files import read_json
from shopglot.core.pair import TASKS
from shopglot.curate.settings import CurateSettings
from shopglot.jobs import score_files
from shopglot.merge.blend import Blend, Mean
from shopglot.pack.bundle import load
from shopglot.serve.files.settings import EngineSettings
from shopglot.serve.files.survey import read_survey, survey
from shopglot.serve.machines.sharded import Workers, score_in_shards
from shopglot.serve.machines.shards import Shards
from shopglot.serve.machines.units import Unit
from shopglot.serve.machines.worker import Job, Row, Surveyor, UnitScorer
from tests import shop
from tests.curate.files import category_row, item_row
from tests.learn.learners import learner_of
from tests.pack.conftest import bundle_of

QC: list[dict[str, Any]] = [
    category_row(n, origin_query=f"tea {n % 5}" if n % 6 else "", category_path=path, language="fr")
    for n, path in enumerate([*shop.PATHS[:8], *(f"food,tea,tea {n}" for n in range(32))])
]
QI: list[dict[str, Any]] = [
    item_row(n, origin_query=f"mug {n % 4}", item_title=None if n in range(8, 16) else f"mug {n}", price=n * 1.0)
    for n in range(20)
] + [{"task": "none of them"}] * 8
EIGHT_ROWS = 8 * 256


class Stopped(Exception):
    """What a scoring is stopped with."""


@dataclass
class TwoWorkers:
    """Two workers that get the units in any order, and are stopped after so many; `scored` are those that were."""

    last: int | None = None
    scored: list[Unit] = field(default_factory=list)
    surveyed: int = 0

    def survey(self, units: Sequence[Unit], surveyor: Surveyor) -> Iterator[Row]:
        for unit in units:
            self.surveyed += 1
            yield surveyor(asdict(unit))

    def score(self, units: Sequence[Unit], scorer: UnitScorer) -> Iterator[Row]:
        workers = [pickle.loads(pickle.dumps(scorer)) for _ in range(2)]
        for number, unit in enumerate(random.Random(7).sample(units, len(units))):
            if number == self.last:
                raise Stopped
            self.scored.append(unit)
            yield workers[number % 2](asdict(unit))


def connecting(workers: TwoWorkers) -> AbstractContextManager[Workers]:
    return nullcontext(workers)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    bundle_of(learner_of("lexical", Path()).fit(shop.pairs(), folder / "work")).save(folder / "bundle")
    return folder / "bundle"


@pytest.fixture
def tree_model(tmp_path: Path, full_precision: None, tiny_bert: Path) -> Path:
    scorer = learner_of("embedding", tiny_bert).fit(shop.pairs(), tmp_path / "work")
    vectors = Blend({"vectors": Mean([scorer])}, {task: {"vectors": 1.0} for task in TASKS})
    bundle_of(vectors).save(tmp_path / "tree_model")
    return tmp_path / "tree_model"


@pytest.fixture
def job(model: Path, tmp_path: Path) -> Job:
    files = tmp_path / "qc.parquet", tmp_path / "qi.parquet"
    for path, rows in zip(files, (QC, QI), strict=True):
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(path)
    return Job(model, files, tmp_path / "scored", settings=EngineSettings(chunk_bytes=EIGHT_ROWS))


def rows_of(out: Path) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(out / shard["file"]) for shard in read_json(out / "manifest.json")["shards"])


def local(job: Job) -> tuple[dict[str, int], pl.DataFrame, str]:
    out = job.out.with_name("local.parquet")
    counts = score_files(job.model, job.files, out)
    return counts, pl.read_parquet(out), out.with_name("local.quarantine.jsonl").read_text(encoding="utf-8")


def test_shards_hold_the_rows_that_one_machine_writes(job: Job) -> None:
    workers = TwoWorkers()
    counts = score_in_shards(job, connecting(workers))
    same_counts, rows, quarantine = local(job)
    assert counts == same_counts
    assert counts["quarantined"] == 8
    assert_frame_equal(rows_of(job.out), rows, abs_tol=1e-6, rel_tol=0)
    assert (job.out / "survey" / "quarantine.jsonl").read_text(encoding="utf-8") == quarantine
    assert len(workers.scored) == 9


def test_the_workers_together_find_what_one_survey_of_all_files_finds(job: Job) -> None:
    score_in_shards(job, connecting(TwoWorkers()))
    found, whole = read_survey(job.surveyed), survey(job.files, _curate(job), 2**20, job.out.with_name("rejected"))
    assert found.own.schema == whole.own.schema
    for name in ("languages", "paths", "rows", "quarantined", "first_bad"):
        assert getattr(found, name) == getattr(whole, name)
    assert len(found.paths) > 30


@pytest.mark.slow
def test_a_model_that_reads_the_category_tree_knows_the_paths_of_all_files(job: Job, tree_model: Path) -> None:
    job = replace(job, model=tree_model)
    score_in_shards(job, connecting(TwoWorkers()))
    assert_frame_equal(rows_of(job.out), local(job)[1], abs_tol=1e-5, rel_tol=0)
    alone = replace(job, files=job.files[:1], out=job.out.with_name("alone"))
    pl.read_parquet(job.files[0])[:8].write_parquet(job.files[0])
    score_in_shards(alone, connecting(TwoWorkers()))
    difference = rows_of(alone.out)["score"] - rows_of(job.out)["score"][:8]
    assert difference.abs().max() > 1e-4  # type: ignore[operator]


@pytest.mark.parametrize("last", [0, 1, 5])
def test_a_scoring_that_was_stopped_repeats_nothing_and_loses_nothing(job: Job, last: int) -> None:
    first, second = TwoWorkers(last), TwoWorkers()
    with pytest.raises(Stopped):
        score_in_shards(job, connecting(first))
    assert not (job.out / "manifest.json").exists()
    counts = score_in_shards(job, connecting(second))
    assert sorted(unit.number for unit in first.scored + second.scored) == list(range(9))
    assert second.surveyed == 0
    same_counts, rows, _ = local(job)
    assert counts == same_counts
    assert_frame_equal(rows_of(job.out), rows, abs_tol=1e-6, rel_tol=0)


def test_a_finished_job_asks_no_worker_again(job: Job) -> None:
    counts, later = score_in_shards(job, connecting(TwoWorkers())), TwoWorkers()
    assert score_in_shards(job, connecting(later)) == counts
    assert (later.scored, later.surveyed) == ([], 0)


def test_a_shard_that_is_lost_or_cut_is_written_again(job: Job) -> None:
    score_in_shards(job, connecting(TwoWorkers()))
    whole, later = rows_of(job.out), TwoWorkers()
    (job.out / "manifest.json").unlink()
    (job.out / "shard-000002.parquet").unlink()
    cut = job.out / "shard-000004.parquet"
    cut.write_bytes(cut.read_bytes()[:-9])
    score_in_shards(job, connecting(later))
    assert sorted(unit.number for unit in later.scored) == [2, 4]
    assert_frame_equal(rows_of(job.out), whole, abs_tol=1e-6, rel_tol=0)


def test_a_worker_that_is_asked_twice_scores_once(job: Job) -> None:
    score_in_shards(job, connecting(TwoWorkers()))
    before = (job.out / "shard-000003.parquet").stat()
    scorer = UnitScorer(job, _shards(job), "unread")
    assert scorer(asdict(job.units()[3]))["error"] == ""
    assert (job.out / "shard-000003.parquet").stat() == before


def test_another_input_begins_another_job(job: Job) -> None:
    with pytest.raises(Stopped):
        score_in_shards(job, connecting(TwoWorkers(3)))
    pl.DataFrame(QC[:9]).write_parquet(job.files[0])
    with pytest.raises(DataError, match="shards of another job, for since then another is input"):
        score_in_shards(job, connecting(TwoWorkers()))


def test_a_folder_of_anything_else_is_left_alone(job: Job) -> None:
    job.out.mkdir()
    (job.out / "thesis.tex").touch()
    with pytest.raises(RecipeError, match="holds other files"):
        score_in_shards(job, connecting(TwoWorkers()))


def test_more_bad_rows_than_may_be_end_it_before_any_is_scored(job: Job) -> None:
    workers = TwoWorkers()
    with pytest.raises(DataError, match=r"8 of 68 rows are bad.*survey/quarantine\.jsonl"):
        score_in_shards(replace(job, max_bad_rows=0.1), connecting(workers))
    assert workers.scored == []


def test_a_file_without_a_good_row_ends_it(job: Job) -> None:
    pl.DataFrame([QI[0] | {"task": "none of them"}]).write_parquet(job.files[1])
    with pytest.raises(DataError, match=r"every row of .*qi\.parquet is bad, the first in line 1"):
        score_in_shards(job, connecting(TwoWorkers()))


def test_a_file_that_a_machine_lacks_or_cannot_read_is_named_with_the_machine(job: Job) -> None:
    row = asdict(job.units()[0])
    job.files[0].write_bytes(b"PAR1")
    assert "qc.parquet is not a whole Parquet file" in Surveyor(job, _curate(job))(row)["error"]
    with pytest.raises(DataError, match=r"qc\.parquet is not a whole Parquet file"):
        score_in_shards(job, connecting(TwoWorkers()))


def test_a_bundle_that_a_machine_lacks_or_has_in_another_version_is_named(job: Job) -> None:
    score_in_shards(job, connecting(TwoWorkers()))
    unit, shards = job.units()[0], _shards(job)
    shards.path(unit).unlink()
    without = UnitScorer(replace(job, model=job.out / "absent"), shards, "9f86d0")
    assert "absent does not exist" in without(asdict(unit))["error"]
    assert (
        "is another model than where the scoring was started"
        in UnitScorer(job, shards, "9f86d0")(asdict(unit))["error"]
    )


def test_what_a_machine_says_is_wrong_ends_it(job: Job) -> None:
    class Wrong(TwoWorkers):
        def score(self, units: Sequence[Unit], scorer: UnitScorer) -> Iterator[Row]:
            return super().score(units, replace(scorer, checksum="another"))

    with pytest.raises(ClusterError, match=r"on .*: .* is another model"):
        score_in_shards(job, connecting(Wrong()))


def _shards(job: Job) -> Shards:
    return Shards.bound(job.out, read_json(job.out / "job.json"))


def _curate(job: Job) -> CurateSettings:
    return load(job.model).curate
