from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.report.attribution import attribute, console_attribution


@dataclass(frozen=True, eq=False, slots=True)
class Counting:
    """Scores a pair by which of its words are known, each worth something, and keeps what it was asked."""

    worth: dict[str, float]
    asked: list[Pairs] = field(default_factory=list)

    def score(self, pairs: Pairs) -> Scores:
        self.asked.append(pairs)
        texts = pairs.frame.select("query", "english", "target").rows()
        return np.array(
            [sum(v for word, v in self.worth.items() if any(word in (t or "") for t in row)) for row in texts]
        )


def words(query: str, *, english: str | None = None, target: str = "") -> list[tuple[str, str]]:
    pair = Pair(task="QC", query=query, target=target, english=english)
    return list(attribute(Counting({}), pair).words.select("field", "word").rows())


def test_a_words_drop_is_what_the_scorer_loses_without_it() -> None:
    scorer = Counting({"dog": 0.5, "bed": 0.25, "cheap": -0.125})
    found = attribute(scorer, Pair(task="QI", query="cheap dog bed", target="Cot for a puppy"))
    assert found.probability == 0.625
    drops = {(field, word): drop for field, word, _, drop in found.words.rows()}
    assert drops["query", "dog"] == 0.5
    assert drops["query", "bed"] == 0.25
    assert drops["query", "cheap"] == -0.125
    assert drops["target", "puppy"] == 0
    assert (found.words["without"] + found.words["drop"]).to_list() == pytest.approx([0.625] * 7)


def test_all_variants_are_scored_in_one_call() -> None:
    scorer = Counting({})
    attribute(scorer, Pair(task="QC", query="dog bed", target="pets,beds", english="dog bed", language="en"))
    (asked,) = scorer.asked
    assert asked["query"].to_list() == ["dog bed", " bed", "dog ", *["dog bed"] * 4]
    assert asked["target"].to_list() == [*["pets,beds"] * 5, ",beds", "pets,"]
    assert set(asked["language"]) == {"en"}


def test_words_of_every_text_stand_in_their_order() -> None:
    assert words("lit chien", english="dog bed", target="pet supplies,beds") == [
        *[("query", word) for word in ("lit", "chien")],
        *[("english", word) for word in ("dog", "bed")],
        *[("target", word) for word in ("pet", "supplies", "beds")],
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ワイヤレスヘッドホン 防水性", ["ワイヤレスヘッドホン", "防水", "性"]),
        ("緑茶 green", ["緑茶", "green"]),
        ("หูฟัง", ["หูฟั", "ง"]),
        ("무선 이어폰", ["무선", "이어폰"]),
        ("%منتخب ايطالي", ["منتخب", "ايطالي"]),
        ("18k gold-plated", ["18k", "gold", "plated"]),
        ("%", []),
        ("", []),
    ],
)
def test_a_script_without_spaces_is_taken_apart_too(query: str, expected: list[str]) -> None:
    assert [word for _, word in words(query)] == expected


@given(st.text(max_size=30))
def test_leaving_a_word_out_leaves_all_else_as_it_was(text: str) -> None:
    scorer = Counting({})
    found = attribute(scorer, Pair(task="QI", query=text, target=""))
    for word, rest in zip(found.words["word"], scorer.asked[0]["query"][1:], strict=True):
        assert len(rest) + len(word) == len(text)
        assert word in text


def test_the_table_has_a_bar_for_each_word_whichever_way_it_speaks() -> None:
    scorer = Counting({"dog": 0.5, "cheap": -0.25})
    found = attribute(scorer, Pair(task="QI", query="cheap dog bed", target=""))
    console = Console(width=80)
    with console.capture() as shown:
        console.print(console_attribution(found, 0.2))
    text = shown.get()
    assert "relevant: probability 0.250, threshold 0.200" in text
    lines = {line.split()[1]: line for line in text.splitlines() if line.strip().startswith("query")}
    assert lines["dog"].count("█") == 2 * lines["cheap"].count("░") > 0
    assert not set(lines["bed"]) & {"█", "░"}


def test_a_pair_without_words_has_an_empty_table() -> None:
    found = attribute(Counting({}), Pair(task="QI", query="%", target=""))
    assert (found.probability, found.words.height) == (0, 0)
    console_attribution(found, 0.5)
