import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shopglot.learn.encoder import EncoderScorer
from shopglot.learn.reading import encode_pairs, text_pairs
from shopglot.pack.network import cut
from shopglot.pack.tokens import Tokens
from tests import shop


def test_tokens_are_those_of_the_model_in_torch(cross_encoder: EncoderScorer) -> None:
    texts = text_pairs(shop.pairs(30), cross_encoder.template)
    tokenizer = cross_encoder.tokenizer
    for limit in (8, 64):
        tokens = Tokens(
            tokenizer.backend_tokenizer.to_str(),
            max_tokens=limit,
            pad=tokenizer.pad_token_id,
            inputs=tokenizer.model_input_names,
        )
        feed = tokens.feed(tokens.encode(texts.rows()))
        expected = tokenizer.pad(encode_pairs(tokenizer, texts, limit), return_tensors="np")
        assert {name: array.tolist() for name, array in feed.items()} == {
            name: array.tolist() for name, array in expected.items()
        }


@given(st.lists(st.integers(1, 700), min_size=1, max_size=80), st.integers(1, 8))
def test_batches_hold_every_row_once_and_are_enough_for_all_workers(lengths: list[int], workers: int) -> None:
    batches = cut(np.array(lengths), workers)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    if len(set(lengths)) == 1 and len(lengths) >= workers:
        assert len(batches) >= workers or len(lengths) < 2 * workers
