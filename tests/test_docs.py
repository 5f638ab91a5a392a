"""What the documentation shows is true: examples run, recipes are valid, commands and links exist."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import typer
import yaml
from mktestdocs import check_md_file, grab_code_blocks

from shopglot.cli import app
from shopglot.config import Recipe, load_recipe
from shopglot.pack.distill_settings import DistillSettings
from shopglot.pipeline import run

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
SMALL_DEMO: Final = """
name: demo
data: {simulate: {pairs: 1500, seed: 7}}
curate: {correct_language: false}
fold: {folds: 2, tune: 0.2, test: 0.2, qc: query}
report: {bootstrap: 100}
learn: [{learner: lexical}]
"""
LEAST_RECIPE: Final = {"name": "least", "data": {"train": ["pairs.csv"]}, "learn": [{"learner": "lexical"}]}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    return list(grab_code_blocks(page.read_text(encoding="utf-8"), lang=language))


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language)]


@pytest.fixture(scope="module")
def finished_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    (folder / "demo.yaml").write_text(SMALL_DEMO)
    run(load_recipe(folder / "demo.yaml"), folder / "runs" / "demo")
    return folder


@pytest.mark.parametrize("page", pages_with("python"), ids=name_of)
def test_the_python_examples_of_a_page_run_one_after_the_other(
    page: Path, finished_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished_demo, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    check_md_file(page, memory=True)


@pytest.mark.parametrize("page", pages_with("yaml"), ids=name_of)
def test_every_recipe_on_a_page_or_part_of_one_is_valid(page: Path) -> None:
    for block in blocks(page, "yaml"):
        content = yaml.safe_load(block)
        if "student" in content:
            assert DistillSettings.model_validate(content).student
        else:
            assert Recipe.model_validate({**LEAST_RECIPE, **content}).learn


@pytest.mark.parametrize("page", pages_with("bash"), ids=name_of)
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    for line in "\n".join(blocks(page, "bash")).splitlines():
        program, *arguments = shlex.split(line, comments=True) or [""]
        if program == "shopglot":
            commands[arguments[0]].make_context(arguments[0], arguments[1:])
        elif program == "make":
            assert set(arguments) <= set(targets), line


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_recipe_reference_is_what_the_settings_say() -> None:
    script = ROOT / "docs" / "generate_recipe_reference.py"
    checked = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
