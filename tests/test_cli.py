import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from shopglot import __version__, cli
from tests import shop
from tests.command import Command, refused
from tests.curate.files import Row, category_row, json_lines

COMMANDS = (
    "simulate",
    "explore",
    "plan",
    "run",
    "sweep",
    "report",
    "score",
    "evaluate",
    "translate",
    "convert-translator",
    "bootstrap",
    "compare",
    "pack",
    "parity",
    "bench",
    "demo",
    "explain",
    "submit",
    "check-submission",
    "compare-submissions",
    "export-trec",
    "import-trec",
    "rank-measures",
)
PLAIN: dict[str, Any] = {
    "name": "plain",
    "curate": {"correct_language": False},
    "fold": {"folds": 2, "tune": 0.2, "qc": "query", "near_duplicate_limit": 1},
    "report": {"bootstrap": 100},
    "learn": [{"learner": "lexical"}],
}


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    for name in ("TRANSFORMERS_VERBOSITY", "HF_HUB_DISABLE_PROGRESS_BARS"):
        monkeypatch.delenv(name, raising=False)


def rows(count: int = 160, **changes: Any) -> list[Row]:
    """Return rows of the made-up shop as the competition writes them."""
    columns = {"query": "origin_query", "target": "category_path"}
    table = shop.pairs(2 * count).of_task("QC").frame.rename(columns)
    named = table.select("id", "task", "language", *columns.values(), "label").to_dicts()
    return [row | changes for row in named]


def recipe_for(folder: Path, data: list[Row | str | bytes], **parts: Any) -> Path:
    json_lines(folder / "train.jsonl", data)
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({**PLAIN, "data": {"train": ["train.jsonl"]}, **parts}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from shopglot.config import load_recipe
    from shopglot.pipeline import run

    folder = tmp_path_factory.mktemp("cli")
    run(load_recipe(recipe_for(folder, [*rows()])), folder / "run")
    return folder / "run" / "bundle"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(command: str) -> None:
    shown = CliRunner().invoke(cli.app, [command, "--help"])
    assert shown.exit_code == 0
    assert f"shopglot {command}" in shown.output.partition("Example")[2]


def test_the_help_lists_every_command() -> None:
    shown = CliRunner().invoke(cli.app, ["--help"]).output
    assert all(command in shown for command in COMMANDS)


def test_from_simulated_files_to_an_evaluation(shopglot: Command, tmp_path: Path) -> None:
    made = shopglot("simulate", "--out", tmp_path / "data", "--pairs", "600", "--seed", "7")
    assert made.code == 0
    assert f"{tmp_path}/data/train_QC.txt: 2" in made.out
    files = {"train": ["data/train_QC.txt", "data/train_QI.txt"], "dev": ["data/dev_QC.txt", "data/dev_QI.txt"]}
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({**PLAIN, "data": files}), encoding="utf-8")
    ran = shopglot("run", recipe, "--out", tmp_path / "run", "--set", "seed=3", "--max-bad-rows", "0.2")
    assert (ran.code, f"bundle: {tmp_path}/run/bundle\n" in ran.out) == (0, True)
    kept = yaml.safe_load((tmp_path / "run" / "recipe.yaml").read_text(encoding="utf-8"))
    assert (kept["seed"], kept["max_bad_rows"]) == (3, 0.2)
    assert shopglot("report", tmp_path / "run").code == 0
    dev = tmp_path / "data" / "dev_QC.txt"
    scored = shopglot("score", tmp_path / "run" / "bundle", dev, "--out", tmp_path / "scored.jsonl")
    assert (scored.code, "rows: 74" in scored.out) == (0, True)
    shown = shopglot("evaluate", tmp_path / "scored.jsonl", "--slice", "seen_type")
    assert (shown.code, "QC" in shown.out) == (0, True)


def test_an_exploration_leaves_a_page_and_refuses_a_folder_of_something_else(shopglot: Command, tmp_path: Path) -> None:
    given = json_lines(tmp_path / "pairs.txt", rows(20))
    explored = shopglot("explore", given, "--out", tmp_path / "out", "--against", given, "--no-correct-language")
    assert (explored.code, "QC: 20 pairs" in explored.out) == (0, True), explored.err
    assert f"page: {tmp_path}/out/explore.html\n" in explored.out
    refused(shopglot("explore", given, "--out", tmp_path), "holds other files, for it has no explore.json")
    refused(shopglot("explore", tmp_path / "none.txt", "--out", tmp_path / "new"), "there is no file")
    assert not (tmp_path / "new").exists()


BROKEN = b'{"id": 1, "task"'
BAD_TRAINING: dict[str, tuple[list[Row | str | bytes], str]] = {
    "broken JSON": ([*rows(), *[BROKEN] * 20], "more than 5.0%"),
    "UTF-16": (["\ufeff" + json.dumps(category_row())], "UTF-16"),
    "no target": ([{k: v for k, v in row.items() if k != "category_path"} for row in rows()], "category_path"),
    "renamed column": ([{**row, "origin_query": None, "querry": "x"} for row in rows()], "empty query"),
    "labels in words": ([*rows(label="yes")], "the label yes is not 0 or 1"),
    "empty file": ([], "is empty"),
    "one class": ([*rows(label=1)], "every label of task QC is 1"),
}


@pytest.mark.parametrize("name", BAD_TRAINING)
def test_training_files_that_cannot_be_learned_from_end_the_run(shopglot: Command, tmp_path: Path, name: str) -> None:
    data, words = BAD_TRAINING[name]
    recipe = recipe_for(tmp_path, data)
    if name == "UTF-16":
        (tmp_path / "train.jsonl").write_text(json.dumps(category_row()), encoding="utf-16")
    ended = shopglot("run", recipe, "--out", tmp_path / "run")
    refused(ended, words)
    assert not (tmp_path / "run" / "bundle").exists()
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name: x\nlern: []\n", "unknown key 'lern'; did you mean 'learn'?"),
        ("name: [\n", "is not YAML"),
        (None, "no recipe"),
    ],
    ids=["misspelt key", "not YAML", "absent"],
)
def test_a_recipe_that_cannot_be_followed_ends_the_run(
    shopglot: Command, tmp_path: Path, content: str | None, words: str
) -> None:
    recipe = tmp_path / "recipe.yaml"
    if content is not None:
        recipe.write_text(content, encoding="utf-8")
    refused(shopglot("run", recipe, "--out", tmp_path / "run"), words)
    assert not (tmp_path / "run").exists()


def test_a_sweep_leaves_a_recipe_that_can_be_run(shopglot: Command, tmp_path: Path) -> None:
    space = {"merge.calibration": {"choices": ["temperature", "isotonic"]}}
    recipe = recipe_for(tmp_path, [*rows()], sweep={"space": space})
    swept = shopglot("sweep", recipe, "--out", tmp_path / "sweep", "--trials", "3", "--set", "seed=3")
    assert (swept.code, "PR-AUC out of fold of 3 trials" in swept.out) == (0, True), swept.err
    assert f"best recipe: {tmp_path}/sweep/best.yaml\n" in swept.out
    assert shopglot("run", tmp_path / "sweep" / "best.yaml", "--out", tmp_path / "run").code == 0


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"learn.0.nme": {"choices": ["x"]}}, "nme'; did you mean 'name'?"),
        ({"merge.blend": {"choices": ["mean", "median"]}}, "merge.blend"),
        ({"learn.1.steps": {"low": 9, "high": 3}}, "let low be below high"),
        ({"learn.1.steps": {"low": 3, "high": 9}}, "'learn.1.steps' leads to nothing"),
    ],
)
def test_a_space_that_cannot_be_tried_ends_the_sweep_before_anything_is_written(
    shopglot: Command, tmp_path: Path, space: dict[str, Any], words: str
) -> None:
    recipe = recipe_for(tmp_path, [*rows(4)], sweep={"space": space})
    refused(shopglot("sweep", recipe, "--out", tmp_path / "sweep"), words)
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize("override", ["seed", "learn.steps=3", "sed=3"])
def test_an_override_that_leads_nowhere_ends_the_run(shopglot: Command, tmp_path: Path, override: str) -> None:
    recipe = recipe_for(tmp_path, [*rows(4)])
    refused(shopglot("run", recipe, "--out", tmp_path / "run", "--set", override), override.partition("=")[0])
    assert not (tmp_path / "run").exists()


def test_a_bundle_with_a_changed_byte_scores_nothing(shopglot: Command, bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "bundle"
    for path in (path for path in bundle.rglob("*") if path.is_file()):
        target = copy / path.relative_to(bundle)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (copy / "decision.json").write_text("{}", encoding="utf-8")
    given = json_lines(tmp_path / "in.jsonl", rows(4))
    refused(shopglot("score", copy, given, "--out", tmp_path / "scored.jsonl"), "decision.json has changed")
    assert not (tmp_path / "scored.jsonl").exists()


def test_an_absent_bundle_or_file_scores_nothing(shopglot: Command, bundle: Path, tmp_path: Path) -> None:
    given = json_lines(tmp_path / "in.jsonl", rows(4))
    out = tmp_path / "scored.jsonl"
    refused(shopglot("score", tmp_path / "none", given, "--out", out), "none does not exist; name a bundle's folder")
    refused(shopglot("score", tmp_path, given, "--out", out), "is not a bundle")
    refused(shopglot("score", bundle, tmp_path / "none.csv", "--out", out), "there is no file")
    refused(shopglot("evaluate", tmp_path / "none.jsonl"), "there is no file")
    refused(shopglot("report", tmp_path), "no report at")
    assert not out.exists()


@pytest.mark.parametrize(
    "option", [("--address", "auto"), ("--workers", 2), ("--cpus-per-worker", 2), ("--gpus-per-worker", 0.5)]
)
def test_what_only_a_cluster_heeds_is_refused_without_one(
    shopglot: Command, tmp_path: Path, option: tuple[str, str | float]
) -> None:
    out = tmp_path / "scored.jsonl"
    ended = shopglot("score", tmp_path, tmp_path / "pairs.csv", "--out", out, *option)
    refused(ended, f"{option[0]}: only a cluster heeds that; add --engine ray, or leave it out")


def test_odd_rows_are_scored_and_said(shopglot: Command, bundle: Path, tmp_path: Path) -> None:
    odd: list[Row | str | bytes] = [
        category_row(1, origin_query="x" * 100_000),
        category_row(1, category_path=",".join(f"level {n}" for n in range(20))),
        category_row(1),
        category_row(2, language="zu"),
        category_row(3, label="yes"),
        "{",
    ]
    given = json_lines(tmp_path / "in.jsonl", odd)
    ended = shopglot("score", bundle, given, "--out", tmp_path / "scored.jsonl")
    scored = pl.read_ndjson(tmp_path / "scored.jsonl")
    assert ended.code == 0
    assert scored["id"].to_list() == [1, 1, 2, 3]
    assert scored["flag"].to_list() == ["query cut", None, None, None]
    assert scored["origin_query"].str.len_chars()[0] == 100_000
    assert all(words in ended.out for words in ("rows: 6", "quarantined: 2", "query cut: 1"))
    reasons = pl.read_ndjson(tmp_path / "scored.quarantine.jsonl")["reason"].to_list()
    assert reasons == ["the category path has more than 16 levels", "not valid JSON"]


def test_odd_rows_do_not_end_a_run(shopglot: Command, tmp_path: Path) -> None:
    few = [{**row, "id": f"zu-{n}", "language": "zu"} for n, row in enumerate(rows(3))]
    odd = [
        category_row(901, category_path=",".join(f"level {n}" for n in range(20))),
        category_row(902, origin_query="tea " * 25_000),
        {**rows(1)[0]},
    ]
    recipe = recipe_for(tmp_path, [*rows(), *few, *odd])
    ended = shopglot("run", recipe, "--out", tmp_path / "run")
    assert ended.code == 0, ended.err
    facts = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))["facts"]["data"]["train"]
    assert (facts["quarantined"], facts["query cut"]) == (2, 1)
    reasons = pl.read_ndjson(tmp_path / "run" / "quarantine-train.jsonl")["reason"]
    assert [reason.partition(" stands")[0] for reason in reasons] == [
        "the category path has more than 16 levels",
        f"the id {rows(1)[0]['task']}-{rows(1)[0]['id']}",
    ]


WINNER = {
    "learner": "llm",
    "name": "gemma",
    "model": "google/gemma-3-12b-pt",
    "max_tokens": 256,
    "stages": [{"batch_size": 4, "accumulation": 2}],
    "launch": {"processes": 4, "deepspeed": {"zero_optimization": {"stage": 2}}},
}


def test_a_plan_is_printed_before_anything_is_there(shopglot: Command, tmp_path: Path) -> None:
    recipe = recipe_for(tmp_path, [*rows(4)], learn=[{"learner": "lexical"}, WINNER])
    (tmp_path / "train.jsonl").unlink()
    refused(shopglot("plan", recipe), "train.jsonl is not here; say with --pairs how many")
    planned = shopglot("plan", recipe, "--gpu", "a100-80gb", "--pairs", "640000", "--tokens", "60")
    assert planned.code == 0, planned.err
    assert all(words in planned.out for words in ("11.8 B ≤ 15 B", "65.5 M", "lexical: not planned"))
    refused(shopglot("plan", recipe, "--gpu", "b200", "--pairs", "9"), "no GPU 'b200'; there are a100-40gb")


def test_a_plan_that_does_not_fit_is_shown_and_ends_with_two(shopglot: Command, tmp_path: Path) -> None:
    recipe = recipe_for(tmp_path, [*rows(4)], learn=[WINNER])
    ended = shopglot("plan", recipe, "--gpu", "l4", "--set", "learn.0.name=other")
    refused(ended, "other does not fit: it needs 37 GiB per device, and l4 can fill 21 GiB; use gradient checkpointing")
    assert "11.8 B" in ended.out
    fits = shopglot("plan", recipe, "--gpu", "a100-80gb", "--set", "learn.0.max_tokens=2048", "--longest", "512")
    assert fits.code == 0, fits.err


def scored_tasks(shopglot: Command, bundle: Path, folder: Path) -> tuple[Path, Path]:
    """Return a task file with whole numbers for ids, and what the bundle says of it."""
    numbered = [{**row, "id": number} for number, row in enumerate(rows(40))]
    tasks = json_lines(folder / "dev_QC.txt", numbered)
    assert shopglot("score", bundle, tasks, "--out", folder / "scored.jsonl").code == 0
    return tasks, folder / "scored.jsonl"


def test_from_a_scored_file_to_a_submission_that_is_checked_and_compared(
    shopglot: Command, bundle: Path, tmp_path: Path
) -> None:
    tasks, scored = scored_tasks(shopglot, bundle, tmp_path)
    out = tmp_path / "submission"
    written = shopglot("submit", scored, "--tasks", tasks, "--out", out)
    assert (written.code, "submit_QC.txt: 40 pairs" in written.out, "without a fault" in written.out) == (0, True, True)
    assert shopglot("check-submission", out / "submit.zip", "--tasks", tasks).out.endswith("without a fault\n")
    shutil.copytree(out, tmp_path / "other")
    first, *rest = (out / "submit_QC.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    said, other = (f'"prediction":{kind}' for kind in ("10" if '"prediction":1' in first else "01"))
    (tmp_path / "other" / "submit_QC.txt").write_text("".join([first.replace(said, other), *rest]), encoding="utf-8")
    compared = shopglot("compare-submissions", out, tmp_path / "other")
    assert (compared.code, "Some of them" in compared.out) == (0, True)
    unlike = shopglot("check-submission", tmp_path / "other", "--tasks", tasks)
    refused(unlike, "other has the faults above")
    assert unlike.out == "submit.zip: files unlike those beside it: 1, such as submit_QC.txt\n"


def test_a_submission_with_a_fault_is_not_written(shopglot: Command, bundle: Path, tmp_path: Path) -> None:
    tasks, scored = scored_tasks(shopglot, bundle, tmp_path)
    json_lines(tasks, [{**row, "id": number} for number, row in enumerate(rows(41))])
    ended = shopglot("submit", scored, "--tasks", tasks, "--out", tmp_path / "submission")
    refused(ended, "submit_QC.txt: ids of the task file that are missing: 1, such as id 40; score the task files")
    assert not (tmp_path / "submission").exists()


def test_from_a_scored_file_to_ranking_measures_and_back_to_pairs(
    shopglot: Command, bundle: Path, tmp_path: Path
) -> None:
    _, scored = scored_tasks(shopglot, bundle, tmp_path)
    trec = tmp_path / "trec"
    assert "qrels.txt: " in shopglot("export-trec", scored, "--out", trec).out
    shown = shopglot("rank-measures", trec / "run.txt", trec / "qrels.txt", "--measure", "nDCG@5")
    assert (shown.code, "nDCG@5" in shown.out, "left out" in shown.out) == (0, True, True)
    pairs = tmp_path / "pairs.jsonl"
    read = shopglot("import-trec", trec, "--out", pairs, "--task", "QC", "--language", "en")
    assert read.out.startswith(f"{pairs}: ")
    assert shopglot("score", bundle, pairs, "--out", tmp_path / "again.jsonl").code == 0
    refused(shopglot("rank-measures", trec / "run.txt", tmp_path / "none"), "there is no file")


def test_a_demo_that_was_not_made_is_asked_for(shopglot: Command, tmp_path: Path) -> None:
    refused(shopglot("demo", tmp_path / "absent"), "make it with `make demo`")


def test_a_pair_is_explained_word_by_word(shopglot: Command, bundle: Path) -> None:
    pair = ("--query", "green tea", "--target", "food,tea,green tea", "--english", "green tea")
    shown = shopglot("explain", bundle, "--task", "QC", *pair)
    assert (shown.code, shown.out.count("green"), "probability 0." in shown.out) == (0, 3, True)
    refused(shopglot("explain", bundle, "--task", "QI", *pair), "scores QC, not QI")


def test_a_place_that_cannot_be_written_ends_every_writing_command_in_one_sentence(
    shopglot: Command, bundle: Path, tmp_path: Path
) -> None:
    data, file = tmp_path / "data", tmp_path / "file"
    data.mkdir()
    recipe, given = recipe_for(data, [*rows()]), json_lines(tmp_path / "in.jsonl", rows(4))
    file.write_text("x", encoding="utf-8")
    for place in (file / "below", tmp_path / ("x" * 300)):
        refused(shopglot("simulate", "--pairs", "200", "--out", place), str(place))
        refused(shopglot("run", recipe, "--out", place), str(place))
        refused(shopglot("score", bundle, given, "--out", place / "scored.jsonl"), str(place))
    assert not list(tmp_path.rglob("*.part"))


def test_a_folder_where_a_file_must_be_ends_a_command_in_one_sentence(
    shopglot: Command, bundle: Path, tmp_path: Path
) -> None:
    made, finished = tmp_path / "made", tmp_path / "finished"
    simulate = ("simulate", "--pairs", "200", "--out", made)
    assert shopglot(*simulate).code == 0
    shutil.copytree(bundle.parent, finished)
    for path in (made / "train_QC.txt", finished / "report.html"):
        path.unlink()
        path.mkdir()
    refused(shopglot(*simulate), "train_QC.txt")
    refused(shopglot("report", finished), "report.html")
    assert not list(tmp_path.rglob("*.part"))


def test_a_run_never_writes_into_a_folder_of_something_else(shopglot: Command, tmp_path: Path) -> None:
    data, own = tmp_path / "data", tmp_path / "out" / "bundle" / "precious.txt"
    data.mkdir()
    own.parent.mkdir(parents=True)
    own.write_text("x", encoding="utf-8")
    ended = shopglot("run", recipe_for(data, [*rows()]), "--out", tmp_path / "out")
    refused(ended, "holds other files, for it has no recipe.yaml; name a new or empty folder")
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [own]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("recipe.yaml", b"\xff\xfe", "holds a run of another recipe"),
        ("files.json", b'{"train', "files.json is damaged; choose another --out, or remove"),
        ("models/lexical/0/QC.safetensors", b"cut", "remove it, and the same command fits it again"),
    ],
)
def test_a_damaged_folder_of_a_run_is_named_when_it_is_started_again(
    shopglot: Command, bundle: Path, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    shutil.copytree(bundle.parent, tmp_path / "run")
    damaged = tmp_path / "run" / name
    damaged.write_bytes(content)
    refused(shopglot("run", bundle.parents[1] / "recipe.yaml", "--out", tmp_path / "run"), words)
    assert damaged.read_bytes() == content


def test_a_slice_by_a_column_that_is_not_there_ends_a_run_before_it_learns_and_an_evaluation(
    shopglot: Command, bundle: Path, tmp_path: Path
) -> None:
    recipe = recipe_for(tmp_path, [*rows()], report={"slices": ["nope"]})
    refused(shopglot("run", recipe, "--out", tmp_path / "run"), "no file has the column 'nope' to slice by")
    assert not (tmp_path / "run" / "models").exists()
    given = json_lines(tmp_path / "in.jsonl", rows())
    assert shopglot("score", bundle, given, "--out", tmp_path / "scored.jsonl").code == 0
    refused(shopglot("evaluate", tmp_path / "scored.jsonl", "--slice", "nope"), "the column 'nope' to slice by")


def test_the_version_is_shown(shopglot: Command) -> None:
    assert shopglot("--version").out == f"shopglot {__version__}\n"


def test_the_warnings_of_deepspeed_stay_out_of_the_results(shopglot: Command) -> None:
    shopglot("--version")
    deepspeed = logging.getLogger("DeepSpeed")
    shown = [deepspeed.filter(logging.makeLogRecord({"levelno": level})) for level in (logging.WARNING, logging.ERROR)]
    assert [bool(each) for each in shown] == [False, True]


def test_an_unexpected_error_is_shown_whole(shopglot: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unexpected(Exception):
        pass

    def crash(path: Path) -> None:
        raise Unexpected(path)

    monkeypatch.setattr("shopglot.report.write.read_report", crash)
    monkeypatch.setattr(sys, "argv", ["shopglot", "report", "runs/x"])
    with pytest.raises(Unexpected):
        cli.main()


def test_the_module_runs_as_a_command_and_ends_with_two() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "shopglot", "run", "none.yaml", "--out", "none"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.startswith("error: no recipe none.yaml")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert not Path("none").exists()
