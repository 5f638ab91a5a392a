"""The embedded models packed: slow, for they are the real ones."""

from pathlib import Path

import numpy as np
import pytest

from shopglot.core.pair import TASKS
from shopglot.learn.encoder import EncoderScorer
from shopglot.learn.pretrained import resolve
from shopglot.learn.use import UniversalSentenceEncoder
from shopglot.pack.convert import Packer
from shopglot.pack.engines import Running
from shopglot.pack.export import export_onnx
from shopglot.pack.network import MODEL, Network, write_facts
from shopglot.pack.session_scorer import SessionScorer
from shopglot.pack.settings import PackSettings
from shopglot.pack.source import Source
from tests import shop
from tests.learn.learners import TEMPLATE

pytestmark = pytest.mark.slow
TEXTS = [*shop.texts(), "", "ナイキ スニーカー 27cm", "กระเป๋า", "🍵" * 40, "ﬁne  ①  ｔｅａ"]


def opened(source: Source, folder: Path, texts: list[str]) -> Network:
    tokens, module = source.trimmed(texts, spare=0)
    export_onnx(module, tokens.inputs, folder / MODEL)
    write_facts(folder, tokens, Running("openvino", "fp32"))
    return Network.load(folder)


@pytest.fixture(scope="module")
def e5(full_precision: None) -> EncoderScorer:
    """multilingual-e5-small with a head that nobody trained."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = resolve("embedded:multilingual-e5-small")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1)
        torch.nn.init.normal_(model.classifier.weight, std=0.5)
    return EncoderScorer(model, AutoTokenizer.from_pretrained(folder), TEMPLATE, 64)


def test_trimmed_and_exported_e5_small_scores_the_same_and_is_a_quarter_of_the_size(
    e5: EncoderScorer, tmp_path: Path
) -> None:
    pairs = shop.pairs()
    texts = [text for row in e5.texts(pairs).rows() for text in row]
    network = opened(Source.of_classifier(e5.model, e5.tokenizer, e5.max_tokens), tmp_path, texts)
    packed = SessionScorer(network, TEMPLATE, dict.fromkeys(TASKS, 0))
    scores = e5.score(pairs)
    assert np.ptp(scores) > 0.1
    assert packed.score(pairs) == pytest.approx(scores, abs=1e-6)
    assert (tmp_path / MODEL).stat().st_size < 470e6 / 4


def test_the_universal_sentence_encoder_is_not_packed_in_int8(tmp_path: Path) -> None:
    encoder = UniversalSentenceEncoder.load()
    packer = Packer(shop.pairs(), PackSettings(precision="int8"), tmp_path)
    network = packer.network(Source.of_encoder(encoder), TEXTS)
    assert (network(TEXTS) * encoder.encode(TEXTS)).sum(axis=1).min() > 0.999


def test_the_exported_universal_sentence_encoder_gives_the_same_vectors(tmp_path: Path) -> None:
    encoder = UniversalSentenceEncoder.load()
    network = opened(Source.of_encoder(encoder), tmp_path, TEXTS)
    assert network(TEXTS) == pytest.approx(encoder.encode(TEXTS), abs=1e-5)
