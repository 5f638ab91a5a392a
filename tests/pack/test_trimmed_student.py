"""A student is cut to the pieces it will meet before it learns, and says of them what the whole one does."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.learn.encoder import EncoderLearner, EncoderScorer
from shopglot.learn.settings import EncoderSettings
from shopglot.pack.trimmed_student import TrimmedEncoderLearner, texts_of, write_trimmed
from tests import shop
from tests.learn.learners import TEMPLATE

pytestmark = pytest.mark.usefixtures("full_precision")
FEW = Pairs(shop.pairs().frame.head(12))


def learner(model: Path) -> EncoderLearner:
    steps = {"steps": 2, "batch_size": 4, "accumulation": 1, "warmup": 0, "learning_rate": 1e-2, "bf16": False}
    settings = EncoderSettings.model_validate({"model": str(model), **steps})
    return EncoderLearner(settings, TEMPLATE)


def hidden(folder: Path, texts: list[tuple[str, str]]) -> list[np.ndarray]:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        batches = [tokenizer(*text, return_tensors="pt") for text in texts]
        return [model(**batch).last_hidden_state[0].numpy() for batch in batches]


@pytest.fixture(params=["tiny_bert", "tiny_xlm_roberta"])
def whole(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def test_what_a_trimmed_transformer_says_of_the_texts_it_was_trimmed_for_is_the_same(
    whole: Path, tmp_path: Path
) -> None:
    texts = EncoderScorer(None, None, TEMPLATE, 0).texts(FEW).rows()
    write_trimmed(str(whole), [text for row in texts for text in row], tmp_path / "trimmed")
    for before, after in zip(hidden(whole, texts), hidden(tmp_path / "trimmed", texts), strict=True):
        assert after == pytest.approx(before, abs=1e-6)
    sizes = [rows(folder) for folder in (whole, tmp_path / "trimmed")]
    assert sizes[1] < 0.8 * sizes[0]


def test_a_piece_that_is_gone_falls_to_smaller_ones_and_a_character_nobody_knows_to_unk(
    tiny_bert: Path, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    write_trimmed(str(tiny_bert), ["tea"], tmp_path / "trimmed")
    before, after = (AutoTokenizer.from_pretrained(folder) for folder in (tiny_bert, tmp_path / "trimmed"))
    word = max((piece for piece in before.get_vocab() if piece.isalpha() and piece not in after.get_vocab()), key=len)
    pieces = after.tokenize(word)
    assert len(pieces) > 1
    assert "".join(pieces).replace("▁", "") == word.replace("▁", "")
    for tokenizer in (before, after):
        assert tokenizer("tea ﷽")["input_ids"].count(tokenizer.unk_token_id) == 1


def test_the_most_probable_pieces_stay_where_they_are_asked_for(tiny_bert: Path, tmp_path: Path) -> None:
    for spare in (0, 40):
        write_trimmed(str(tiny_bert), ["tea"], tmp_path / str(spare), spare=spare)
    assert rows(tmp_path / "0") < rows(tmp_path / "40") < rows(tiny_bert)


def test_a_trimmed_student_learns_what_the_whole_one_does_and_is_saved_small(tiny_bert: Path, tmp_path: Path) -> None:
    wanted = np.linspace(0.1, 0.9, len(FEW))
    whole = learner(tiny_bert)
    cut = TrimmedEncoderLearner(whole, texts_of([FEW], whole), 0)
    students = [each.fit_to(FEW, wanted, tmp_path / name) for name, each in (("whole", whole), ("cut", cut))]
    assert np.ptp(students[0].score(FEW)) > 1e-3
    assert students[1].score(FEW) == pytest.approx(students[0].score(FEW), abs=1e-5)
    for name, student in zip(("whole", "cut"), students, strict=True):
        (tmp_path / f"{name} saved").mkdir()
        student.save(tmp_path / f"{name} saved")
    assert rows(tmp_path / "cut saved") < 0.8 * rows(tmp_path / "whole saved")
    loaded = EncoderScorer.load(tmp_path / "cut saved")
    assert loaded.score(FEW) == pytest.approx(students[1].score(FEW), abs=1e-6)
    assert np.isfinite(loaded.score(Pairs.of([Pair(task="QI", query="ﷺ quilt", target="Yurt")]))).all()


def test_the_texts_of_a_student_are_those_its_model_reads(tiny_bert: Path) -> None:
    texts = texts_of([FEW, FEW], learner(tiny_bert))
    assert texts.n_unique() == len(texts)
    assert set(FEW["query"].filter(FEW["task"] == "QI")) == {
        text.removeprefix("item: ") for text in texts.filter(texts.str.starts_with("item: "))
    }


def rows(folder: Path) -> int:
    with safe_open(folder / "model.safetensors", "numpy") as weights:
        (name,) = (name for name in weights.keys() if name.endswith("word_embeddings.weight"))  # noqa: SIM118
        return int(weights.get_slice(name).get_shape()[0])
