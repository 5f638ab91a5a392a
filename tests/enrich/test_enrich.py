from pathlib import Path

import polars as pl

from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.enrich.enrich import Translating, enrich
from shopglot.enrich.settings import EnrichSettings, MakeSettings, TranslatedSettings
from shopglot.enrich.translate_settings import TableSettings, TranslateSettings
from tests import shop

FRENCH = Pair(task="QC", query="lampe bleue", target="home,lamps", language="fr", label=1, id="f")
GIVEN = Pair(task="QC", query="silla", target="home,chairs", language="es", english="seat", label=1, id="s")
ENGLISH = Pair(task="QC", query="blue lamp", target="home,lamps", language="en", label=1, id="e")


def translating(folder: Path) -> Translating:
    table = folder / "table.csv"
    table.write_text("text,source,target,translation\nlampe bleue,fr,en,blue lamp\nblue lamp,en,pl,niebieska lampa\n")
    settings = TableSettings(files=(table,), target="target")
    return Translating.of(TranslateSettings(translator=settings), str)


def test_only_queries_without_english_are_translated(tmp_path: Path) -> None:
    pairs = Pairs.of([FRENCH, GIVEN])
    gained = enrich(pairs, pairs, EnrichSettings(), translating(tmp_path), seed=0)
    assert gained.train["english"].to_list() == gained.dev["english"].to_list() == ["blue lamp", "seat"]
    assert gained.counts == {"train translations": {"new": 1}, "dev translations": {"new": 1}}


def test_pairs_are_made_for_training_alone(tmp_path: Path) -> None:
    make = MakeSettings(translated=TranslatedSettings(languages=("pl",), share=1.0))
    pairs = Pairs.of([FRENCH, ENGLISH])
    gained = enrich(pairs, pairs, EnrichSettings(make=make), translating(tmp_path), seed=0)
    made = gained.train.filter(pl.col("made_from").is_not_null())
    assert made["query"].to_list() == ["niebieska lampa"] * 2
    assert made["made_from"].sort().to_list() == ["e", "f"]
    assert gained.dev["id"].to_list() == ["f", "e"]


def test_without_settings_the_pairs_are_left_as_they_are() -> None:
    pairs = shop.pairs(20)
    gained = enrich(pairs, pairs, EnrichSettings(), None, seed=0)
    assert gained.train.frame.equals(pairs.frame)
    assert gained.counts == {}


def test_translations_are_as_clean_as_the_texts_of_files(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("text,source,translation\nlampe bleue,fr,Blue  LAMP &amp; ＵＳＢ\n", encoding="utf-8")
    settings = TranslateSettings(translator=TableSettings(files=(table,)))
    gained = enrich(Pairs.of([FRENCH]), Pairs.of([]), EnrichSettings(), Translating.of(settings, str), seed=0)
    assert gained.train["english"].to_list() == ["blue lamp & usb"]
