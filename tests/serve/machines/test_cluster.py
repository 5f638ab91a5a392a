import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from shopglot.core.errors import ClusterError, RecipeError
from shopglot.core.files import read_json
from shopglot.jobs import score_files, score_on_cluster
from shopglot.serve.files.settings import ClusterSettings
from shopglot.serve.machines.cluster import connected
from tests import shop
from tests.curate.files import category_row
from tests.learn.learners import learner_of
from tests.pack.conftest import bundle_of

PARTS = 50
ROWS_OF_PART = 60
PART_MB = ROWS_OF_PART * 256 / 2**20


def connect(address: str) -> None:
    with connected(ClusterSettings(address=address)):
        pass


def test_without_ray_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RecipeError, match=r"needs Ray: pip install 'shopglot\[scale\]'"):
        connect("auto")


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(RecipeError, match="--address head is no address; give HOST:PORT"):
        connect("head")


@pytest.mark.enable_socket
def test_an_address_where_nothing_listens_is_named_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ClusterError, match=rf"no Ray cluster can be used at 127\.0\.0\.1:{port} \(.*refused"):
        connect(f"127.0.0.1:{port}")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    bundle_of(learner_of("lexical", Path()).fit(shop.pairs(), folder / "work")).save(folder / "bundle")
    return folder / "bundle"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    rows: list[Any] = [
        category_row(n, origin_query=f"green tea {n % 99}", category_path=shop.PATHS[n % len(shop.PATHS)])
        for n in range(PARTS * ROWS_OF_PART)
    ]
    rows[7] |= {"task": "none of them"}
    for name, own in (("a", rows[: 20 * ROWS_OF_PART]), ("b", rows[20 * ROWS_OF_PART :])):
        pl.DataFrame(own).write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Ray tell nobody that it was started, and its workers not yield to whatever else the machine does."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")


def require_the_rows_of_one_machine(model: Path, files: Path, out: Path, counts: dict[str, int]) -> None:
    local = out.with_name("local.parquet")
    assert score_files(model, sorted(files.iterdir()), local) == counts
    manifest = read_json(out / "manifest.json")
    rows = pl.concat(pl.read_parquet(out / shard["file"]) for shard in manifest["shards"])
    assert_frame_equal(rows, pl.read_parquet(local), abs_tol=1e-6, rel_tol=0)
    assert rows["id"].n_unique() == rows.height == PARTS * ROWS_OF_PART - 1
    assert not list(out.glob("*.part"))


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore")
def test_ray_on_this_machine_writes_the_rows_of_the_local_engine(
    model: Path, files: Path, tmp_path: Path, at_home: None
) -> None:
    cluster = ClusterSettings(cpus_per_worker=1, part_mb=PART_MB)
    counts = score_on_cluster(model, [files], tmp_path / "scored", cluster=cluster)
    require_the_rows_of_one_machine(model, files, tmp_path / "scored", counts)


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore")
def test_a_machine_that_is_killed_in_the_middle_loses_nothing_and_repeats_nothing(
    model: Path, files: Path, tmp_path: Path, at_home: None
) -> None:
    from ray.cluster_utils import Cluster

    out, before = tmp_path / "scored", dict[Path, int]()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        machines = [cluster.add_node(num_cpus=1) for _ in range(2)]

        def kill_one_in_the_middle() -> None:
            while len(found := list(out.glob("shard-*.parquet"))) < PARTS // 5:
                time.sleep(0.005)
            killed = kill(machines[1].all_processes["raylet"][0].process.pid)
            before.update({path: path.stat().st_mtime_ns for path in found})
            assert killed > 1

        killer = threading.Thread(target=kill_one_in_the_middle, daemon=True)
        killer.start()
        settings = ClusterSettings(address=cluster.address, part_mb=PART_MB)
        counts = score_on_cluster(model, [files], out, cluster=settings)
        killer.join()
    finally:
        cluster.shutdown()
    assert 0 < len(before) < PARTS
    assert all(path.stat().st_mtime_ns == time_then for path, time_then in before.items())
    require_the_rows_of_one_machine(model, files, out, counts)


def kill(pid: int) -> int:
    """Kill a process and those that it started, as when a machine loses its power; return how many they were."""
    every = [pid, *started_by(pid)]
    for each in every:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    return len(every)


def started_by(pid: int) -> list[int]:
    own = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]
    return own + [each for child in own for each in started_by(child)]
