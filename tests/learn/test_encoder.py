import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from shopglot.core.errors import BundleError
from shopglot.core.files import read_json, write_json
from shopglot.learn.encoder import EncoderLearner, EncoderScorer
from shopglot.learn.pretrained import read_classifier, read_tokenizer
from shopglot.learn.settings import EncoderSettings
from tests import shop
from tests.learn.learners import TEMPLATE


def test_a_kept_encoder_without_its_head_is_refused(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    model, _ = read_classifier(str(tiny_xlm_roberta), num_labels=1)
    EncoderScorer(model, read_tokenizer(str(tiny_xlm_roberta)), TEMPLATE, max_tokens=32).save(tmp_path)
    path = tmp_path / "model.safetensors"
    rest = {name: each for name, each in load_file(path).items() if not name.startswith("classifier.out_proj")}
    save_file(rest, path, {"format": "pt"})
    with pytest.raises(BundleError, match=r"lacks 2 of the weights .* such as classifier\.out_proj\.bias"):
        EncoderScorer.load(tmp_path)


def test_layers_without_pretrained_weights_are_not_trained_from_random_numbers(
    tmp_path: Path, tiny_xlm_roberta: Path
) -> None:
    model = shutil.copytree(tiny_xlm_roberta, tmp_path / "model")
    write_json(model / "config.json", {**read_json(model / "config.json"), "num_hidden_layers": 3})
    learner = EncoderLearner(EncoderSettings(model=str(model)), TEMPLATE)
    with pytest.raises(BundleError, match="lacks 16 of the weights that its configuration has"):
        learner.fit(shop.pairs(8), tmp_path / "work")
