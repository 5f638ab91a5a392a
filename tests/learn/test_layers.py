from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shopglot.core.errors import RecipeError
from shopglot.core.pairs import Pairs
from shopglot.learn.embedding import EmbeddingLearner, EmbeddingScorer
from shopglot.learn.encoder import EncoderLearner, EncoderScorer
from shopglot.learn.families import configuration
from shopglot.learn.layers import keep_layers, layers_of
from shopglot.learn.settings import ContrastSettings, EmbeddingSettings, EncoderSettings
from tests import shop
from tests.learn.learners import TEMPLATE
from tests.tiny import shrunk

pytestmark = pytest.mark.usefixtures("full_precision")
NEW = shop.pairs(40, seed=99)


def bert(layers: int = 5) -> Any:
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 50}
    return BertModel(BertConfig(num_hidden_layers=layers, **sizes), add_pooling_layer=False).eval()


def weights(model: Any) -> dict[str, Any]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_embeddings_and_the_chosen_layers_keep_their_weights() -> None:
    import torch

    model = bert()
    before = weights(model)
    keep_layers(model, 3, "bert")
    after = weights(model)
    assert len(layers_of(model)) == model.config.num_hidden_layers == 3
    chosen = {"0": "0", "1": "2", "2": "4"}
    for name, value in after.items():
        head, layer, rest = name.partition(".layer.")
        number, dot, own = rest.partition(".")
        assert torch.equal(value, before[head + layer + chosen.get(number, number) + dot + own])
    assert {name for name in before if ".layer." not in name} == {name for name in after if ".layer." not in name}


def test_all_layers_say_what_they_said() -> None:
    import torch

    model, ids = bert(), torch.tensor([[1, 2, 3]])
    before = model(ids).last_hidden_state
    keep_layers(model, 5, "bert")
    assert torch.equal(model(ids).last_hidden_state, before)


def test_a_cut_model_is_the_same_after_saving_and_loading(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel

    model, ids = bert(), torch.tensor([[1, 2, 3]])
    keep_layers(model, 2, "bert")
    model.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path, add_pooling_layer=False)
    assert torch.equal(loaded(ids).last_hidden_state, model(ids).last_hidden_state)


def test_each_kept_layer_stays_of_its_kind() -> None:
    import torch
    from transformers import AutoModel

    kinds = ["sliding_attention", "sliding_attention", "full_attention", "full_attention"]
    sizes = {"num_hidden_layers": 4, "layer_types": kinds, "vocab_size": 50}
    model = AutoModel.from_config(shrunk(configuration("google/gemma-3-270m"), **sizes))
    keep_layers(model, 2, "gemma")
    assert model.config.layer_types == [kinds[0], kinds[3]]
    assert model(torch.tensor([[3, 4, 5]])).last_hidden_state.shape == (1, 3, 32)


def test_more_layers_than_there_are_cannot_be_kept() -> None:
    with pytest.raises(RecipeError, match="layers is 6, and bert has 5"):
        keep_layers(bert(), 6, "bert")


@pytest.mark.parametrize("contrast", [None, ContrastSettings(steps=2, batch_size=8, layers=1, bf16=False)])
def test_a_cut_tower_scores_the_same_after_loading(
    tiny_bert: Path, tmp_path: Path, contrast: ContrastSettings | None
) -> None:
    settings = EmbeddingSettings(model=str(tiny_bert), layers=1, contrast=contrast, hidden=(4,), networks=1)
    work, kept = tmp_path / "work", tmp_path / "kept"
    kept.mkdir()
    scorer = EmbeddingLearner(settings, TEMPLATE, shop.PATHS).fit(shop.pairs(120), work)
    scorer.save(kept)
    assert len(layers_of(scorer.encoder.encoder.model)) == 1  # type: ignore[attr-defined]
    assert EmbeddingScorer.load(kept).score(NEW) == pytest.approx(scorer.score(NEW), abs=1e-6)


@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_a_cut_cross_encoder_learns_probabilities_and_scores_the_same_after_loading(
    tiny_bert: Path, tmp_path: Path, margin: float
) -> None:
    settings = EncoderSettings(
        model=str(tiny_bert), layers=1, steps=12, batch_size=8, accumulation=2, learning_rate=5e-3, bf16=False
    )
    train: Pairs = shop.pairs(60)
    wanted = 0.2 + 0.6 * train.labels.astype(np.float64)
    (tmp_path / "kept").mkdir()
    scorer = EncoderLearner(settings, TEMPLATE, margin).fit_to(train, wanted, tmp_path / "work")
    scorer.save(tmp_path / "kept")
    assert scorer.model.config.num_hidden_layers == 1
    assert EncoderScorer.load(tmp_path / "kept").score(NEW) == pytest.approx(scorer.score(NEW), abs=1e-6)
