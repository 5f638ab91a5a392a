"""The promises the house makes about its own files."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import shopglot

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "shopglot"
MODULES = sorted(PACKAGE.rglob("*.py"))
FORMATS_OF_TEXT = {".py", ".toml", ".md", ".yaml", ".yml", ".txt", ".tsv", ".html", ".css", ".js", ".j2", ""}
LONGER_ON_PURPOSE = {
    "cli.py": "the commands stand side by side in one place",
    "jobs.py": "what the other commands do stands side by side in one place",
    "pipeline.py": "a whole run is read from the top in one place",
}
"""The files over 250 lines, each with its reason."""

with (ROOT / "pyproject.toml").open("rb") as file:
    PROJECT = tomllib.load(file)


def test_the_sorted_stage_folders_are_the_layers_of_the_import_contract() -> None:
    folders = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    assert layers[::-1] == [*folders, "config", "pipeline", "distill", "jobs", "cli"]


def test_the_import_contract_is_kept() -> None:
    checked = _python("-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", ["", *shopglot.__all__])
def test_importing_shopglot_loads_nothing_heavy(name: str) -> None:
    heavy = "{'torch', 'transformers', 'sentence_transformers', 'sklearn', 'scipy', 'lingua', 'altair', 'fastapi'}"
    use = f"shopglot.{name}" if name else "assert 'polars' not in sys.modules"
    loaded = _python("-c", f"import sys, shopglot; {use}; print(sorted({heavy} & sys.modules.keys()))")
    assert loaded.stdout.strip() == "[]", loaded.stderr


def test_the_public_names_are_offered_and_no_others() -> None:
    assert dir(shopglot) == sorted(shopglot.__all__)
    assert all(getattr(shopglot, name) is not None for name in shopglot.__all__)
    with pytest.raises(AttributeError, match="'score_file'; it has Pair, Pairs"):
        _ = shopglot.score_file


def test_the_version_is_that_of_the_project() -> None:
    assert shopglot.__version__ == PROJECT["project"]["version"]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_says_what_it_is_for_and_reads_no_pickle(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name.split(".")[0] for name in imported} & {"pickle", "joblib", "dill", "cloudpickle", "shelve"}


def test_no_file_is_longer_than_250_lines_without_a_reason() -> None:
    lengths = {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > 250 and name not in LONGER_ON_PURPOSE} == {}


def test_no_text_names_a_path_of_a_machine() -> None:
    machine = [f"/{folder}/" for folder in ("work", "root", "home", "Users")]
    texts = {path: path.read_text(encoding="utf-8") for path in _texts()}
    assert [
        (str(path.relative_to(ROOT)), name) for path, text in texts.items() for name in machine if name in text
    ] == []


def _texts() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / line for line in listed.stdout.splitlines()]
    return [path for path in paths if path.suffix in FORMATS_OF_TEXT and path.is_file()]


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
