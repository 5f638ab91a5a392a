from pathlib import Path
from typing import Any

import pytest

from shopglot.core.errors import RecipeError
from shopglot.enrich.few_shot import PROMPT, FewShot
from shopglot.enrich.translate_settings import FewShotSettings
from shopglot.learn.pretrained import resolve
from tests.tiny import tiny_model

TEXTS = ("robe rouge", "lampe de table led 15 inch", "a", "kopfhörer", "tênis nike air")
MODELS = {"google/gemma-3-270m": {"tie_word_embeddings": False}, "Qwen/Qwen3-0.6B": {}}


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Causal models; of Gemma the window of attention is far shorter than the prompt."""
    folder = tmp_path_factory.mktemp("few-shot") / "model"
    texts = [*PROMPT.splitlines(), *TEXTS] * 3
    return tiny_model(folder, request.param, texts, max_position_embeddings=2_000, **MODELS[request.param])


def loaded(model: Path, **changes: Any) -> FewShot:
    settings = FewShotSettings(**{"model": str(model), "dtype": "float32", "max_new_tokens": 10, **changes})
    return FewShot("tiny", settings, str(model))


def test_the_shared_prompt_changes_nothing_and_neither_do_neighbours(model: Path) -> None:
    import torch

    translator = loaded(model, batch_tokens=1_500)
    tokenizer = translator._tokenizer
    plain = []
    for text in TEXTS:
        read = [*tokenizer(PROMPT)["input_ids"], *tokenizer(f"{text} =", add_special_tokens=False)["input_ids"]]
        ids = torch.tensor([read])
        written = translator._model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=10,
            eos_token_id=translator._stops,
            pad_token_id=tokenizer.pad_token_id,
        )
        plain.append(tokenizer.decode(written[0, len(read) :], skip_special_tokens=True))
    assert translator.translate(TEXTS, "fr", "en") == plain
    assert translator.translate(TEXTS, "fr", "en") == plain  # what was read once is as it was
    assert len(set(plain)) > 1


def test_only_english_is_written(model: Path) -> None:
    with pytest.raises(RecipeError, match="translates into 'en', not 'de'"):
        loaded(model).translate(["robe"], "fr", "de")


@pytest.mark.slow
def test_gemma_translates_queries_of_many_languages_in_one_line() -> None:
    settings = FewShotSettings()
    translator = FewShot("gemma", settings, resolve(settings.model))
    wanted = {
        "緑茶": "green tea",
        "grüner tee": "green tea",
        "เสื้อยืดผู้ชาย": "shirt",
        "capa celular samsung a52": "a52",
        "tenda da campeggio 4 posti": "tent",
        "чехол для телефона": "phone case",
    }
    said = translator.translate([*wanted], "xx", "en")
    assert all(line is not None and "\n" not in line for line in said)
    right = [part in (line or "") for part, line in zip(wanted.values(), said, strict=True)]
    assert sum(right) >= len(wanted) - 1, said
