import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from shopglot.core.errors import RecipeError
from shopglot.pack.trim import trimmed
from tests import shop
from tests.tiny import unigram

WHOLE = unigram(shop.texts()).backend_tokenizer.to_str()
READER = Tokenizer.from_str(WHOLE)
TEXTS = st.text(alphabet="abcdeghiklnoprstuw 緑茶ш,-2kgéê🍵", max_size=24)


def ids_before(tokenizer: str, text: str, rows: np.ndarray) -> list[int]:
    """Return the ids of the trimmed tokenizer as the numbers that the same pieces had before."""
    return [int(rows[number]) for number in Tokenizer.from_str(tokenizer).encode(text).ids]


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_texts_it_was_trimmed_for_are_cut_as_before(texts: list[str]) -> None:
    cut = trimmed(WHOLE, texts)
    for text in texts:
        assert ids_before(cut.tokenizer, text, cut.rows) == READER.encode(text).ids


@given(TEXTS, TEXTS)
def test_pairs_of_texts_are_framed_as_before(query: str, target: str) -> None:
    cut = trimmed(WHOLE, [query, target])
    pair = Tokenizer.from_str(cut.tokenizer).encode(query, target)
    assert [int(cut.rows[number]) for number in pair.ids] == READER.encode(query, target).ids


@given(TEXTS, TEXTS)
def test_new_texts_lose_no_character(known: str, new: str) -> None:
    cut = Tokenizer.from_str(trimmed(WHOLE, [known]).tokenizer)
    unknown = [reader.encode(new).ids.count(reader.get_vocab()["<unk>"]) for reader in (cut, READER)]
    assert unknown[0] == unknown[1]


def test_unused_pieces_are_gone_and_spare_ones_stay() -> None:
    few, more = trimmed(WHOLE, ["tea"]), trimmed(WHOLE, ["tea"], spare=60)
    vocabulary = [json.loads(each.tokenizer)["model"]["vocab"] for each in (few, more)]
    assert len(vocabulary[0]) < len(vocabulary[1]) < READER.get_vocab_size()
    assert [len(each.rows) for each in (few, more)] == [len(each) for each in vocabulary]
    assert {piece for piece, _ in vocabulary[0]} < {piece for piece, _ in vocabulary[1]}


def test_the_rows_keep_their_order_and_lead_to_the_same_pieces() -> None:
    cut = trimmed(WHOLE, shop.texts()[:3])
    assert np.all(np.diff(cut.rows) > 0)
    pieces = [READER.id_to_token(int(row)) for row in cut.rows]
    assert pieces == [piece for piece, _ in json.loads(cut.tokenizer)["model"]["vocab"]]


def test_a_tokenizer_of_another_kind_is_refused() -> None:
    other = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]")).to_str()
    with pytest.raises(RecipeError, match="only unigram tokenizers can be trimmed, and this one is WordLevel"):
        trimmed(other, ["tea"])
