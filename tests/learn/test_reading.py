from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.errors import RecipeError
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.format.prompt import PromptSettings
from shopglot.learn.classifier import load_tokenizer
from shopglot.learn.llm_settings import LLMSettings
from shopglot.learn.reading import Reader, longest_first
from tests import shop
from tests.learn.learners import TEMPLATE
from tests.tiny import unigram

PAIRS = Pairs.of(
    [
        Pair(task="QC", query="green tea", target="food,tea,green tea"),
        Pair(task="QI", query="green tea", target="acme wok 12"),
    ]
)


def reader(max_tokens: int = 128) -> Reader:
    return Reader(unigram(shop.texts()), TEMPLATE, LLMSettings(model="m", max_tokens=max_tokens))


def test_a_prompt_sets_query_and_target_apart_and_names_the_task() -> None:
    texts = reader().texts(PAIRS)
    assert ["".join(row) for row in texts.iter_rows()] == [
        "Query: green tea\nCategory: food,tea,green tea",
        "Query: green tea\nProduct: acme wok 12",
    ]


def test_the_prompts_ids_are_those_of_its_parts_between_the_tokenizers_special_tokens() -> None:
    own = reader()
    ids = own.encode(own.texts(PAIRS))["input_ids"][0]
    parts = ["Query: green tea", "\nCategory: food,tea,green tea", "\nRelevant:"]
    expected = [id for part in parts for id in own.tokenizer(part, add_special_tokens=False)["input_ids"]]
    assert ids == [own.tokenizer.bos_token_id, *expected, own.tokenizer.eos_token_id]


def test_a_first_token_that_is_called_cls_and_not_bos_stands_first() -> None:
    own = reader()
    expected = own.encode(own.texts(PAIRS))
    own.tokenizer.bos_token = None
    assert own.encode(own.texts(PAIRS)) == expected


def test_a_long_pair_keeps_its_answer_mark_and_both_its_texts() -> None:
    own = reader(max_tokens=24)
    long = Pairs.of([Pair(task="QC", query="green tea " * 40, target="food,tea,green tea " * 40)])
    (ids,) = own.encode(own.texts(long))["input_ids"]
    (short,) = own.encode(own.texts(PAIRS.of_task("QC")))["input_ids"]
    answer = own.tokenizer("\nRelevant:", add_special_tokens=False)["input_ids"]
    assert len(ids) == 24
    assert ids[-len(answer) - 1 :] == short[-len(answer) - 1 :]


@given(left=st.integers(0, 300), right=st.integers(0, 300), room=st.integers(2, 200))
def test_texts_are_cut_to_fit_and_the_longer_one_first(left: int, right: int, room: int) -> None:
    kept_left, kept_right = (int(kept[0]) for kept in longest_first(np.array([left]), np.array([right]), room))
    assert kept_left + kept_right == min(left + right, room)
    assert kept_left == left or kept_left >= kept_right - 1
    assert kept_right == right or kept_right >= kept_left - 1


@pytest.mark.parametrize("mark", ["{}", " {}", "Category:"])
def test_a_prompt_in_which_query_and_target_would_run_together_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="category needs"):
        PromptSettings(category=mark)


def test_a_tokenizer_without_a_pad_token_asks_for_one_by_name(tmp_path: Path) -> None:
    tokenizer = unigram(shop.texts())
    tokenizer.pad_token = None
    tokenizer.save_pretrained(tmp_path)
    settings = LLMSettings(model=str(tmp_path))
    with pytest.raises(RecipeError, match="no pad token; name a token that no text contains as pad_token"):
        load_tokenizer(settings, str(tmp_path))
    assert load_tokenizer(settings.model_copy(update={"pad_token": "<mask>"}), str(tmp_path)).pad_token == "<mask>"
    with pytest.raises(RecipeError, match="pad_token 'nothing' is no token of"):
        load_tokenizer(settings.model_copy(update={"pad_token": "nothing"}), str(tmp_path))
