import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.enrich.protected import Protected
from shopglot.enrich.translate import BATCH, count_new, query_texts, translate_with, translations
from shopglot.enrich.translation_cache import TranslationCache
from tests.enrich.doubles import Answer, Counting, Saying, french

ROOT = Path(__file__).parents[2]

queries = st.one_of(
    st.text(max_size=12), st.sampled_from(["robe rouge", "a52", "14 cm", "🎧", "", "\x00\x07", "緑茶 red", "x" * 600])
)
rows = st.lists(st.tuples(queries, st.sampled_from(["fr", "ja", "en", "xx", None])), max_size=30)


def table(rows: Sequence[tuple[str | None, str | None]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"text": pl.String, "source": pl.String}, orient="row")
    return frame.with_columns(target=pl.lit("en"))


@given(rows, st.booleans())
def test_every_row_has_an_outcome_in_order_and_every_text_is_asked_for_once(
    rows: list[tuple[str, str | None]], repeated: bool
) -> None:
    given, translator = table(rows * 2 if repeated else rows), Counting()
    made = translations(given, translator)
    handed = made.texts.filter(pl.col("outcome") == "new")
    assert len(translator.texts) == handed.height
    assert made.texts.height == given.unique().height == sum(made.counts.values()) - made.counts.get("put-back", 0)
    outcomes = {
        (text, source): outcome for text, source, outcome in made.texts.select("text", "source", "outcome").rows()
    }
    for (text, source), said in zip(given.select("text", "source").rows(), made.of(given), strict=True):
        match outcomes[text, source]:
            case "new":
                readable = re.sub(r"[\x00-\x1f\x7f-\x9f\s]+", " ", text)
                assert said is not None
                assert said.startswith(" ".join(readable.upper().split()))
            case "kept-same-language" | "kept-code":
                assert said == text
            case outcome:
                assert said is None
                assert outcome in {"kept-empty", "kept-long", "unknown-language"}


def test_texts_are_handed_over_by_language_and_longest_first() -> None:
    translator = Counting()
    texts = [f"mot {'a' * (number % 7)}b{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(BATCH + 9)]
    translations(pl.concat([french(*texts), table([("緑茶", "ja")])]), translator)
    sizes = sorted(map(len, translator.asked))
    assert sizes == [1, 9, BATCH]
    lengths = [len(text) for batch in translator.asked for text in batch if text != "緑茶"]
    assert lengths == sorted(lengths, reverse=True)


def test_what_was_translated_before_is_not_asked_for_again(tmp_path: Path) -> None:
    texts, cache = french("robe", "lampe rouge", "robe"), TranslationCache(tmp_path)
    first, second = (Counting(), Counting())
    assert translations(texts, first, cache).counts == {"new": 2}
    again = translations(texts, second, cache)
    assert (again.counts, second.asked) == ({"cached": 2}, [])
    assert again.of(texts).to_list() == ["ROBE", "LAMPE ROUGE", "ROBE"]
    assert translations(texts, Counting("another"), cache).counts == {"new": 2}


def test_a_dry_run_says_how_many_texts_are_new_and_asks_nobody(tmp_path: Path) -> None:
    cache, translator = TranslationCache(tmp_path), Counting()
    translations(french("robe"), translator, cache)
    texts = pl.concat([french("robe", "lampe", "lampe", "a52"), table([("tea", "en")])])
    assert count_new(texts, translator.name, cache) == {"new": 1, "cached": 1, "kept-same-language": 1, "kept-code": 1}
    assert translator.texts == ["robe"]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("", "kept-empty"),
        ("👟🔥!?", "kept-empty"),
        ("\x00\x1b\u200b", "kept-empty"),
        (None, "kept-empty"),
        ("lampe " * 2_000, "kept-long"),
        ("2024", "kept-code"),
        ("WH-1000XM4", "kept-code"),
        ("Acme 100cm", "kept-code"),
        ("louis vuitton", "kept-code"),
        ("緑茶 green чай", "new"),
        ("robe\x00\trouge\n", "new"),
    ],
)
def test_what_needs_no_translation_or_would_be_harmed_is_kept(text: str | None, outcome: str) -> None:
    made = translations(french(text), Counting(), protected=Protected(("Acme", "Louis Vuitton")))
    assert made.counts == {outcome: 1}


def test_control_characters_never_reach_a_translator() -> None:
    translator = Counting()
    translations(french("robe\x00\trouge\n\x1bcourte"), translator)
    assert translator.texts == ["robe rouge courte"]


FAILURES: dict[str, tuple[Callable[[Sequence[str]], list[Answer]], str]] = {
    "none": (lambda texts: [None for _ in texts], "no-translation"),
    "nothing": (lambda texts: ["" for _ in texts], "failed-empty"),
    "blanks": (lambda texts: [" \n\t" for _ in texts], "failed-empty"),
    "words again and again": (lambda texts: ["red dress " * 6 for _ in texts], "failed-endless"),
    "letters again and again": (lambda texts: ["ha" * 40 for _ in texts], "failed-endless"),
    "a flood": (
        lambda texts: ["".join(chr(97 + number % 43) for number in range(700)) for _ in texts],
        "failed-endless",
    ),
    "too few lines": (lambda texts: [], "failed-count"),
    "too many lines": (lambda texts: ["red"] * 7, "failed-count"),
}


@pytest.mark.parametrize(("answer", "outcome"), FAILURES.values(), ids=FAILURES)
def test_a_failure_is_counted_and_not_tried_again_by_the_same_model(
    answer: Callable[[Sequence[str]], list[Answer]], outcome: str, tmp_path: Path
) -> None:
    texts, cache, translator = french("robe", "robe rouge"), TranslationCache(tmp_path), Saying(answer)
    made = translations(texts, translator, cache)
    assert made.counts == {outcome: 2}
    assert made.of(texts).to_list() == [None, None]
    calls = translator.calls
    assert translations(texts, translator, cache).counts == {outcome: 2}
    assert translator.calls == calls


def test_a_text_that_repeats_itself_may_be_translated_so() -> None:
    assert translations(french("la " * 20), Counting()).counts == {"new": 1}


def test_a_batch_of_a_wrong_number_of_lines_is_tried_text_by_text() -> None:
    translator = Saying(lambda texts: [text.upper() for text in texts if len(texts) == 1])
    texts = french("robe", "lampe", "chat")
    made = translations(texts, translator)
    assert (made.of(texts).to_list(), translator.calls) == (["ROBE", "LAMPE", "CHAT"], 4)


def test_an_unknown_language_is_asked_for_once_and_said_without_the_texts(caplog: pytest.LogCaptureFixture) -> None:
    texts = table([(f"secret {chr(97 + number % 26)}{number // 26 * 'z'}", "xx") for number in range(BATCH + 1)])
    made = translations(texts, Counting())
    assert made.counts == {"unknown-language": BATCH + 1}
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "'xx'" in caplog.text
    assert "secret" not in caplog.text


def test_what_a_translation_lost_is_put_back_and_counted(tmp_path: Path) -> None:
    loses = Saying(lambda texts: ["headphones" for _ in texts])
    texts = french("casque acme wh-1000xm4 noir", "casque 2 voies", "casque")
    for _ in range(2):
        made = translations(texts, loses, TranslationCache(tmp_path), Protected(("acme",)))
        assert made.of(texts).to_list() == ["headphones wh-1000xm4 acme", "headphones 2", "headphones"]
        assert made.counts["put-back"] == 2


def test_the_adaptor_translates_a_table_row_by_row() -> None:
    translate = translate_with(Counting())
    assert translate(table([("thé", "fr"), ("tea", "en"), ("thé", None)])).to_list() == ["THÉ", "tea", None]
    assert translate(table([])).to_list() == []


def test_queries_of_pairs_are_texts_of_their_language() -> None:
    pairs = Pairs.of([Pair(task="QC", query="thé", target="a,b", language="fr")])
    assert query_texts(pairs, "en").rows() == [("thé", "fr", "en")]


KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from shopglot.enrich.translate import translations
from shopglot.enrich.translation_cache import TranslationCache
from tests.enrich.doubles import Counting, french

class Dying(Counting):
    def translate(self, texts, source, target):
        if len(self.asked) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().translate(texts, source, target)

texts = french(*(f"mot {'a' * (number % 40)}{chr(97 + number % 26)}{'b' * (number // 40)}" for number in range(1500)))
translations(texts, Dying(), TranslationCache(Path(sys.argv[1])))
"""


def test_a_kill_loses_one_batch_at_most(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    command = [sys.executable, "-c", KILLED_IN_THE_MIDDLE, str(tmp_path)]
    killed = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    texts = french(
        *(f"mot {'a' * (number % 40)}{chr(97 + number % 26)}{'b' * (number // 40)}" for number in range(1500))
    )
    translator = Counting()
    made = translations(texts, translator, TranslationCache(tmp_path))
    assert made.counts["cached"] == 3 * BATCH
    assert len(translator.texts) == texts.unique().height - 3 * BATCH
