"""The words of the simulated marketplace: product types, attributes and sellers' names in thirteen languages."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.category import CategoryPath
from shopglot.core.errors import DataError

LANGUAGES: Final = ("en", "es", "fr", "pt", "ja", "ko", "th", "ar", "de", "id", "it", "pl", "vi")
KINDS: Final = ("colour", "size", "material", "audience", "model")
"""The attributes a shopper may state."""
TYPE_COLUMNS: Final = ("type", "path", "accessory_of", "attributes", "titles", "mistranslations", *LANGUAGES)
VALUE_COLUMNS: Final = ("kind", "value", "near", "suits", "titles", *LANGUAGES)


@dataclass(frozen=True, slots=True)
class ProductType:
    """A kind of product: where the catalogue keeps it, and what sellers and shoppers call it.

    `titles` are English phrases of sellers and share no word with the English phrases of shoppers.
    `mistranslations` is what a poor translator makes of the shoppers' phrases.
    """

    name: str
    path: CategoryPath
    accessory_of: str | None
    attributes: tuple[str, ...]
    titles: tuple[str, ...]
    mistranslations: tuple[str, ...]
    phrases: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class AttributeValue:
    """A value such as the colour red. `near` values may please the same shopper, so they are never wrong for it.

    `suits` are the branches of the catalogue where it makes sense; everywhere when empty.
    """

    kind: str
    name: str
    near: frozenset[str]
    suits: tuple[CategoryPath, ...]
    titles: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All words; `orders` says in which order each language names a type and its attributes.

    `extras` are words that shoppers add without changing what they want, such as "free shipping", in the same order
    in every language. `sellers` holds the names of brands and devices and the words that fill titles.
    """

    types: tuple[ProductType, ...]
    values: tuple[AttributeValue, ...]
    orders: Mapping[str, str]
    extras: Mapping[str, tuple[str, ...]]
    sellers: Mapping[str, tuple[str, ...]]


@cache
def load_lexicon() -> Lexicon:
    """Return the lexicon that is part of the package."""
    with as_file(files("shopglot.demo") / "lexicon") as folder:
        return read_lexicon(folder)


def read_lexicon(folder: Path) -> Lexicon:
    """Return the lexicon in the TSV files of `folder`; raises DataError naming file, line and column."""
    types = tuple(
        _product_type(row) for row in _rows(folder / "types.tsv", TYPE_COLUMNS, {"accessory_of", "attributes"})
    )
    values = tuple(_value(row) for row in _rows(folder / "attributes.tsv", VALUE_COLUMNS, {"near", "suits"}))
    templates = _rows(folder / "templates.tsv", ("language", "order", "extras"))
    orders = {row["language"]: row["order"] for row in templates}
    extras = {row["language"]: _alternatives(row["extras"]) for row in templates}
    sellers = {row["kind"]: _alternatives(row["words"]) for row in _rows(folder / "sellers.tsv", ("kind", "words"))}
    _check_types(types, folder / "types.tsv")
    _check_phrases(types, folder / "types.tsv")
    for line, value in enumerate(values, start=2):
        if value.kind not in KINDS:
            raise DataError(f"attributes.tsv line {line}, column 'kind': {value.kind!r} is none of {', '.join(KINDS)}")
    if missing := set(LANGUAGES) - set(orders):
        raise DataError(f"templates.tsv has no line for {', '.join(sorted(missing))}; add one for each")
    return Lexicon(types, values, orders, extras, sellers)


def _rows(file: Path, columns: tuple[str, ...], optional: Set[str] = frozenset()) -> list[dict[str, str]]:
    table = pl.read_csv(file, separator="\t", quote_char=None, infer_schema=False).fill_null("")
    if missing := [column for column in columns if column not in table.columns]:
        raise DataError(f"{file.name} line 1 lacks the column {missing[0]!r}; it needs {', '.join(columns)}")
    for column in columns:
        empty = table[column].str.strip_chars().eq("").arg_true()
        if len(empty) and column not in optional:
            raise DataError(f"{file.name} line {empty[0] + 2}: the column {column!r} is empty; write at least one word")
    return table.to_dicts()


def _product_type(row: dict[str, str]) -> ProductType:
    return ProductType(
        name=row["type"],
        path=CategoryPath.parse(row["path"]),
        accessory_of=row["accessory_of"] or None,
        attributes=tuple(row["attributes"].split(",")) if row["attributes"] else (),
        titles=_alternatives(row["titles"]),
        mistranslations=_alternatives(row["mistranslations"]),
        phrases={language: _alternatives(row[language]) for language in LANGUAGES},
    )


def _value(row: dict[str, str]) -> AttributeValue:
    return AttributeValue(
        kind=row["kind"],
        name=row["value"],
        near=frozenset(_alternatives(row["near"])),
        suits=tuple(CategoryPath.parse(path) for path in _alternatives(row["suits"])),
        titles=_alternatives(row["titles"]),
        words={language: _alternatives(row[language]) for language in LANGUAGES},
    )


def _alternatives(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in cell.split("|") if word.strip())


def _check_types(types: Sequence[ProductType], file: Path) -> None:
    line_of = {kind.name: line for line, kind in enumerate(types, start=2)}
    nodes = {node for kind in types for node in kind.path.ancestors()}
    paths: set[CategoryPath] = set()
    for line, kind in enumerate(types, start=2):
        place = f"{file.name} line {line}"
        if line_of[kind.name] != line:
            raise DataError(f"{place}, column 'type': line {line_of[kind.name]} is {kind.name!r} too; rename one")
        if kind.path in paths or kind.path in nodes:
            raise DataError(
                f"{place}, column 'path': another type is at or below {str(kind.path)!r}; name another leaf"
            )
        if kind.accessory_of is not None and kind.accessory_of not in line_of:
            raise DataError(f"{place}, column 'accessory_of': there is no type {kind.accessory_of!r}; add it")
        if unknown := set(kind.attributes) - set(KINDS):
            raise DataError(f"{place}, column 'attributes': {min(unknown)!r} is none of {', '.join(KINDS)}")
        paths.add(kind.path)


def _check_phrases(types: Sequence[ProductType], file: Path) -> None:
    """Refuse a phrase that names two types: labels follow meaning, so each phrase has one."""
    for language in LANGUAGES:
        meaning: dict[str, str] = {}
        for line, kind in enumerate(types, start=2):
            for phrase in kind.phrases[language]:
                if (other := meaning.setdefault(phrase, kind.name)) != kind.name:
                    raise DataError(
                        f"{file.name} line {line}, column {language!r}: {phrase!r} means {other!r} too; change one"
                    )
