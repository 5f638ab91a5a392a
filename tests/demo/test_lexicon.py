import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from shopglot.core.errors import DataError
from shopglot.demo.lexicon import KINDS, LANGUAGES, load_lexicon, read_lexicon

LEXICON = load_lexicon()
FILES = ("types.tsv", "attributes.tsv", "templates.tsv", "sellers.tsv")


def _words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"\w+", text.lower())} - {"and", "for", "of", "with", "to", "in"}


def _edited(folder: Path, name: str, old: str, new: str) -> Path:
    for file in FILES:
        text = (files("shopglot.demo") / "lexicon" / file).read_text(encoding="utf-8")
        if file == name:
            assert old in text
            text = text.replace(old, new, 1)
        (folder / file).write_text(text, encoding="utf-8")
    return folder


def test_the_catalogue_is_as_broad_and_as_deep_as_a_marketplace() -> None:
    paths = [kind.path for kind in LEXICON.types]
    assert len(paths) >= 240
    assert len({path.levels[0] for path in paths}) >= 30
    assert {len(path.levels) for path in paths} == {2, 3, 4, 5}
    assert any(", " in name for path in paths for name in path.levels)


def test_every_type_has_a_sibling_so_that_near_misses_exist() -> None:
    families = Counter(kind.path.parent for kind in LEXICON.types)
    assert min(families.values()) >= 2


def test_every_language_has_words_for_every_type_and_value() -> None:
    assert len(LANGUAGES) == 13
    for kind in LEXICON.types:
        assert all(kind.phrases[language] for language in LANGUAGES)
    for value in LEXICON.values:
        assert all(value.words[language] for language in LANGUAGES)


def test_no_title_shares_a_word_with_what_english_shoppers_type() -> None:
    for kind in LEXICON.types:
        typed = _words(" ".join(kind.phrases["en"]))
        sharing = [title for title in kind.titles if _words(title) & typed]
        assert not sharing, f"{kind.name}: {sharing}"


def test_one_type_in_eight_is_an_accessory_of_another() -> None:
    assert sum(kind.accessory_of is not None for kind in LEXICON.types) * 8 >= len(LEXICON.types)


def test_values_near_each_other_are_values_and_branches_that_suit_are_branches() -> None:
    names = {value.name for value in LEXICON.values}
    branches = {node for kind in LEXICON.types for node in (kind.path, *kind.path.ancestors())}
    for value in LEXICON.values:
        assert value.near <= names
        assert set(value.suits) <= branches


def test_every_order_places_the_type_and_all_attributes_once() -> None:
    for order in LEXICON.orders.values():
        assert sorted(re.findall(r"\{(\w+)\}", order)) == sorted(["type", "extra", *KINDS])


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("types.tsv", "wall clock|wall clocks", "", r"types.tsv line \d+: the column 'en' is empty"),
        ("types.tsv", "\twall clock|", "\twall mirror|", r"types.tsv line \d+, column 'en': 'wall mirror' means"),
        ("types.tsv", "wall_mirror\t", "wall_clock\t", r"types.tsv line \d+, column 'type'"),
        ("types.tsv", "\treed_diffuser\t", "\treed_defuser\t", r"column 'accessory_of': there is no type"),
        ("types.tsv", "clocks and mirrors,timepieces", "clocks and mirrors", r"column 'path': another type is at or"),
        ("types.tsv", "\tcolour,size,material\t", "\tcolor\t", r"column 'attributes': 'color' is none of colour"),
        ("attributes.tsv", "colour\tblack", "color\tblack", r"attributes.tsv line 2, column 'kind'"),
        ("templates.tsv", "language\torder", "language\tform", r"templates.tsv line 1 lacks the column 'order'"),
        ("templates.tsv", "\nvi\t", "\nvn\t", r"templates.tsv has no line for vi"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_line_and_column(
    tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_lexicon(_edited(tmp_path, name, old, new))
