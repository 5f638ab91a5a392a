"""What the command line says where a language model cannot be trained, and what it keeps."""

import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file
from transformers import AutoTokenizer

from shopglot.config import load_recipe
from shopglot.core.files import read_json, write_json
from shopglot.pipeline import run
from tests.command import Command, refused
from tests.learn.doubles import Killed
from tests.learn.test_resume import steps_taken
from tests.test_cli import recipe_for, rows

pytestmark = pytest.mark.usefixtures("full_precision")
STAGE = {"steps": 4, "save_steps": 2, "learning_rate": 1e-2}
KIB = 1024


def llm_recipe(folder: Path, model: Path | str, **settings: Any) -> Path:
    learner = {"learner": "llm", "tasks": ["QC"], "text": "pair", "dtype": "float32", "stages": [STAGE]}
    return recipe_for(folder, [*rows(80)], learn=[{**learner, "model": str(model), **settings}])


@pytest.fixture(scope="module")
def half_done(tmp_path_factory: pytest.TempPathFactory, tiny_xlm_roberta: Path) -> Path:
    """A folder with a recipe and its run, which was killed when the second of two folds had made a checkpoint."""
    folder = tmp_path_factory.mktemp("half done")
    recipe = load_recipe(llm_recipe(folder, tiny_xlm_roberta))
    with pytest.raises(Killed), steps_taken(deadly=4, fit=2):
        run(recipe, folder / "run")
    return folder


@pytest.fixture
def again(half_done: Path, tmp_path: Path) -> tuple[str | Path, ...]:
    """The command that goes on with a copy of it."""
    shutil.copytree(half_done / "run", tmp_path / "run")
    return "run", half_done / "recipe.yaml", "--out", tmp_path / "run"


@contextmanager
def no_room_above(size: int) -> Iterator[None]:
    """Let no file grow above `size` bytes once a training step has begun."""
    from transformers import Trainer

    step, limits = Trainer.training_step, resource.getrlimit(resource.RLIMIT_FSIZE)

    def training_step(trainer: Any, *arguments: Any, **named: Any) -> Any:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        return step(trainer, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "training_step", training_step)
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize(
    ("room", "reason"),
    [(40 * KIB, "File too large"), (100 * KIB, "No space left on device")],
    ids=["for the weights", "for the optimizer"],
)
def test_a_full_disk_ends_the_run_and_with_more_room_it_goes_on_from_the_checkpoint_before(
    shopglot: Command, again: tuple[str | Path, ...], tmp_path: Path, room: int, reason: str
) -> None:
    work = tmp_path / "run" / "models" / "llm" / "1.work" / "stage-0.work"
    with no_room_above(room):
        ended = shopglot(*again)
    refused(ended, f"{work} cannot be written ({reason}); earlier checkpoints are whole: make room and run the same")
    assert [state.parent.name for state in work.glob("*/trainer_state.json")] == ["checkpoint-2"]
    with steps_taken() as begun:
        assert shopglot(*again).code == 0
    assert begun == [3, 4]


def test_a_fold_model_without_its_head_is_refused(
    shopglot: Command, again: tuple[str | Path, ...], tmp_path: Path
) -> None:
    path = tmp_path / "run" / "models" / "llm" / "0" / "adapter_model.safetensors"
    save_file({name: each for name, each in load_file(path).items() if "classifier" not in name}, path)
    refused(shopglot(*again), f"{path} lacks the weights of the head (classifier); train the model again")


def test_a_fold_model_of_another_architecture_is_refused(
    shopglot: Command, again: tuple[str | Path, ...], tmp_path: Path, tiny_bert: Path
) -> None:
    folder = tmp_path / "run" / "models" / "llm" / "0"
    facts = read_json(folder / "scorer.json")
    facts["settings"]["model"] = str(tiny_bert)
    write_json(folder / "scorer.json", facts)
    refused(shopglot(*again), str(folder))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("model=nowhere/none", "the model 'nowhere/none' cannot be loaded"),
        ("model=embedded:nothing", "no embedded model 'nothing'; there are"),
        ("quantization={load_in_4bit: true}", "needs a GPU, and there is none; leave quantization out"),
        ("pad_token=nothing", "pad_token 'nothing' is no token of"),
        ("trainer={evil_steps: 3}", "'llm' cannot be trained with its `trainer` and `launch`: TrainingArguments"),
        ("trainer={report_to: nowhere}", "nowhere is not supported"),
        ("trainer={optim: best}", "best is not a valid OptimizerNames"),
        ("trainer={output_dir: elsewhere}", "output_dir is no setting of trainer here; use --out of the run"),
        ("trainer={max_steps: 3}", "max_steps is no setting of trainer here; use steps of a stage"),
        ("trainer={seed: 3}", "seed is no setting of trainer here; use seed of the learner"),
    ],
)
def test_what_cannot_be_trained_ends_the_run(
    shopglot: Command, tmp_path: Path, tiny_xlm_roberta: Path, override: str, words: str
) -> None:
    recipe = llm_recipe(tmp_path, tiny_xlm_roberta)
    refused(shopglot("run", recipe, "--out", tmp_path / "run", "--set", f"learn.0.{override}"), words)
    assert not (tmp_path / "run" / "bundle").exists()


def test_a_tokenizer_that_cannot_pad_ends_the_run_with_the_token_that_could(
    shopglot: Command, tmp_path: Path, tiny_xlm_roberta: Path
) -> None:
    model = shutil.copytree(tiny_xlm_roberta, tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.pad_token = None
    tokenizer.save_pretrained(model)
    ended = shopglot("run", llm_recipe(tmp_path, model), "--out", tmp_path / "run")
    refused(ended, "has no pad token; name a token that no text contains as pad_token, such as '</s>'")
