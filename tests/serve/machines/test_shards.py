from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from shopglot.core.errors import ClusterError, DataError
from shopglot.core.files import read_json, sha256
from shopglot.serve.machines.shards import Shards
from shopglot.serve.machines.units import units

MADE_FROM = {"input": {"a.parquet": {"size": 7}}, "model": "9f86d0"}
UNITS = units([250], 100)
FILES = [Path("a.parquet")]


def scored(rows: int, score: float = 0.5) -> pl.DataFrame:
    return pl.DataFrame({"id": [str(row) for row in range(rows)], "score": [score] * rows})


def written(folder: Path) -> Shards:
    shards = Shards.bound(folder, MADE_FROM)
    for unit in UNITS:
        shards.write(unit, scored(unit.stop - unit.start), {"relevant": unit.number, "empty query": 5})
    return shards


def test_the_manifest_lists_the_shards_in_the_order_of_the_rows(tmp_path: Path) -> None:
    shards = written(tmp_path)
    (tmp_path / "shard-000001.parquet.0f.part").touch()
    counts = shards.finish(UNITS, FILES, {"rows": 250, "quarantined": 0})
    manifest = read_json(tmp_path / "manifest.json")
    assert counts == manifest["counts"] == {"rows": 250, "quarantined": 0, "empty query": 15, "relevant": 3}
    assert [(each["start"], each["rows"]) for each in manifest["shards"]] == [(0, 100), (100, 100), (200, 50)]
    for each in manifest["shards"]:
        path = tmp_path / each["file"]
        assert (each["bytes"], each["sha256"]) == (path.stat().st_size, sha256(path))
    assert not list(tmp_path.glob("*.part"))
    assert Shards.bound(tmp_path, MADE_FROM).counted() == counts


def test_a_shard_says_nothing_unless_it_is_whole_and_of_this_job_and_unit(tmp_path: Path) -> None:
    shards, first = written(tmp_path), UNITS[0]
    said = shards.said(first)
    assert said is not None
    assert (said["rows"], said["counts"]["relevant"]) == (100, 0)
    assert shards.said(replace(first, stop=99)) is None
    assert replace(shards, job="another").said(first) is None
    shards.path(first).write_bytes(shards.path(first).read_bytes()[:-20])
    assert shards.said(first) is None
    scored(100).write_parquet(shards.path(first))
    assert shards.said(first) is None


def test_a_worker_that_comes_late_leaves_the_shard_as_it_is(tmp_path: Path) -> None:
    shards = written(tmp_path)
    before = shards.path(UNITS[0]).read_bytes()
    shards.write(UNITS[0], scored(100, score=0.7), {})
    assert shards.path(UNITS[0]).read_bytes() == before


def test_there_is_no_manifest_where_a_shard_cannot_be_seen(tmp_path: Path) -> None:
    shards = written(tmp_path)
    shards.path(UNITS[1]).unlink()
    with pytest.raises(ClusterError, match=r"shard-000001\.parquet is not there.*that all machines share"):
        shards.finish(UNITS, FILES, {})
    assert not (tmp_path / "manifest.json").exists()


def test_a_folder_with_shards_of_another_job_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(DataError, match="shards of another job, for since then another is model; remove that folder"):
        Shards.bound(tmp_path, MADE_FROM | {"model": "another"})


def test_a_job_without_a_shard_may_change_and_is_surveyed_anew(tmp_path: Path) -> None:
    Shards.bound(tmp_path, MADE_FROM)
    (tmp_path / "survey").mkdir()
    assert Shards.bound(tmp_path, MADE_FROM | {"model": "another"}).job != Shards.bound(tmp_path, MADE_FROM).job
    assert not (tmp_path / "survey").exists()
