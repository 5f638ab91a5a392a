"""What the embedded models read of a pair, letter by letter, with the tokenizers they were published with."""

from functools import cache
from typing import Any

import pytest

from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.curate.clean import CLEANING_VERSION
from shopglot.format.settings import FormatSettings, QueryText
from shopglot.format.template import Template
from shopglot.learn.classifier import load_tokenizer
from shopglot.learn.e5_small import E5_SMALL
from shopglot.learn.gguf_models import GEMMA, SMOLLM2
from shopglot.learn.llm_settings import LLMSettings
from shopglot.learn.pretrained import resolve
from shopglot.learn.reading import Reader
from tests.learn.test_gguf_models import needs

pytestmark = pytest.mark.slow
MODELS = {
    "gemma": LLMSettings(model="embedded:gemma-3-270m"),
    "smollm2": LLMSettings(model="embedded:smollm2-135m"),
    "e5": LLMSettings(model="embedded:multilingual-e5-small", text="pair"),
}
each_model = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=needs(weights))
        for name, weights in {"gemma": GEMMA, "smollm2": SMOLLM2, "e5": E5_SMALL}.items()
    ],
)
PADS = {"gemma": "<pad>", "smollm2": "<|im_end|>", "e5": "<pad>"}
PAIRS = Pairs.of(
    [
        Pair(
            task="QC",
            query="écouteurs sans fil",
            english="wireless earbuds",
            target="consumer electronics,audio,headphones",
        ),
        Pair(task="QI", query="무선 이어폰", english="wireless earbuds", target="Sony WF-1000XM5 earbuds 2024"),
    ]
)
READ: dict[str, dict[QueryText, list[str]]] = {
    "gemma": {
        "original": [
            "<bos>Query: écouteurs sans fil\nCategory: consumer electronics,audio,headphones\nRelevant:",
            "<bos>Query: 무선 이어폰\nProduct: Sony WF-1000XM5 earbuds 2024\nRelevant:",
        ],
        "both": [
            "<bos>Query: écouteurs sans fil - wireless earbuds\nCategory: consumer electronics,audio,headphones\n"
            "Relevant:",
            "<bos>Query: 무선 이어폰 - wireless earbuds\nProduct: Sony WF-1000XM5 earbuds 2024\nRelevant:",
        ],
    },
    "smollm2": {
        "original": [
            "Query: écouteurs sans fil\nCategory: consumer electronics,audio,headphones\nRelevant:",
            "Query: 무선 이어폰\nProduct: Sony WF-1000XM5 earbuds 2024\nRelevant:",
        ],
        "both": [
            "Query: écouteurs sans fil - wireless earbuds\nCategory: consumer electronics,audio,headphones\nRelevant:",
            "Query: 무선 이어폰 - wireless earbuds\nProduct: Sony WF-1000XM5 earbuds 2024\nRelevant:",
        ],
    },
    "e5": {
        "original": [
            "<s> category: écouteurs sans fil</s></s> consumer electronics,audio,headphones</s>",
            "<s> item: 무선 이어폰</s></s> Sony WF-1000XM5 earbuds 2024</s>",
        ],
        "both": [
            "<s> category: écouteurs sans fil - wireless earbuds</s></s> consumer electronics,audio,headphones</s>",
            "<s> item: 무선 이어폰 - wireless earbuds</s></s> Sony WF-1000XM5 earbuds 2024</s>",
        ],
    },
}
LONG = Pairs.of(
    [
        Pair(task="QC", query="écouteurs sans fil " * 20, target="audio,headphones"),
        Pair(task="QI", query="écouteurs", target="Sony WF-1000XM5 earbuds " * 20),
        Pair(task="QI", query="écouteurs sans fil " * 20, target="Sony WF-1000XM5 earbuds " * 20),
    ]
)
CUT_TO_24_TOKENS = {
    "gemma": [
        "<bos>Query: écouteurs sans fil écouteurs sans fil écoute\nCategory: audio,headphones\nRelevant:",
        "<bos>Query: écouteurs\nProduct: Sony WF-1000XM5 earbuds Sony WF\nRelevant:",
        "<bos>Query: écouteurs sans fil écouteurs\nProduct: Sony WF-1000\nRelevant:",
    ],
    "smollm2": [
        "Query: écouteurs sans fil écout\nCategory: audio,headphones\nRelevant:",
        "Query: écouteurs\nProduct: Sony WF-1000XM\nRelevant:",
        "Query: écouteurs sans fil\nProduct: Sony WF-100\nRelevant:",
    ],
    "e5": [
        "<s> category: écouteurs sans fil écouteurs sans fil écouteurs</s></s> audio,headphones</s>",
        "<s> item: écouteurs</s></s> Sony WF-1000XM5 earbuds Sony WF-</s>",
        "<s> item: écouteurs sans fil écouteurs</s></s> Sony WF-1000XM5 earbud</s>",
    ],
}


@cache
def tokenizer_of(name: str) -> Any:
    return load_tokenizer(MODELS[name], resolve(MODELS[name].model))


def encoded(name: str, pairs: Pairs, query: QueryText = "original", **settings: Any) -> dict[str, list[list[int]]]:
    template = Template(FormatSettings(query=query), CLEANING_VERSION)
    reader = Reader(tokenizer_of(name), template, MODELS[name].model_copy(update=settings))
    return reader.encode(reader.texts(pairs))


@each_model
@pytest.mark.parametrize("query", ["original", "both"])
def test_a_pair_is_read_as_it_stands_here(name: str, query: QueryText) -> None:
    read = encoded(name, PAIRS, query)["input_ids"]
    assert [tokenizer_of(name).decode(ids) for ids in read] == READ[name][query]


@each_model
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_stands_on_its_side_of_the_text_alone_and_is_masked(
    name: str, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer, read = tokenizer_of(name), encoded(name, PAIRS)
    monkeypatch.setattr(tokenizer, "padding_side", side)
    padded = tokenizer.pad(read, return_tensors="np")
    longest = max(len(ids) for ids in read["input_ids"])
    assert len({len(ids) for ids in read["input_ids"]}) == 2
    for text, ids, row, mask in zip(
        READ[name]["original"], read["input_ids"], padded["input_ids"], padded["attention_mask"], strict=True
    ):
        pads = PADS[name] * (longest - len(ids))
        assert tokenizer.decode(row) == (pads + text if side == "left" else text + pads)
        assert row[mask == 1].tolist() == ids


@each_model
def test_of_a_long_pair_the_longer_text_is_cut_at_its_end_and_every_mark_stays(name: str) -> None:
    read = encoded(name, LONG, max_tokens=24)["input_ids"]
    assert [len(ids) for ids in read] == [24, 24, 24]
    assert [tokenizer_of(name).decode(ids) for ids in read] == CUT_TO_24_TOKENS[name]
