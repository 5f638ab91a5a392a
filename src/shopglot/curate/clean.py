"""Texts in one normal form, for training and serving alike."""

import html
import re
from typing import Final

import polars as pl

from shopglot.core.category import MAX_DEPTH, levels
from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings

CLEANING_VERSION: Final = 1
"""Raised whenever the same raw text would come out different, for a model must read what it was trained on."""

MAX_CHARACTERS: Final = 2_000
EMPTY_QUERY: Final = "empty query"
MISSING_TARGET: Final = "missing target"
PATH_TOO_DEEP: Final = "path too deep"
BLOCKING_FLAGS: Final = (EMPTY_QUERY, MISSING_TARGET, PATH_TOO_DEEP)
"""The flags of rows without a text to judge; "query cut" and "target cut" can still be judged."""

_MOST_PASSES: Final = 32  # far beyond what a feed escapes, for each level of "&amp;amp;…" takes a pass
_LEVEL_ARROW: Final = " > "
MISSING_WORDS: Final = ("", "nan", "none", "null")
LANGUAGE_ALIASES: Final = {"vn": "vi", "us": "en", "jp": "ja"}
_INVISIBLE: Final = r"[[\p{Cc}\p{Cf}]--\s]"
_ESCAPED: Final = r"\\|&[#A-Za-z]"
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_CODE_UNITS: Final = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_BACKSLASHED: Final = re.compile(r"\\(?:[\"'/&]|[nrt](?=[^a-z]))")
# Where compatibility normalization would change what a shopper meant: "levi´s", "lego™", "3½", "น้ำ".
_BEFORE_NFKC: Final = {"´": "'", "™": "", "℠": ""}
AFTER_NFKC: Final = {"\u2044": "/", "\u0e4d\u0e32": "\u0e33", "\u0ecd\u0eb2": "\u0eb3"}


def clean(pairs: Pairs, settings: CurateSettings) -> Pairs:
    """Return the same rows in the same order with clean texts, language codes and flags; `own:` columns stay raw.

    The flags "empty query", "missing target" and "path too deep" mark rows whose text is empty now, "query cut" and
    "target cut" texts that were longer than 2,000 characters. Cleaning what is clean changes nothing.
    """
    frame, lower = pairs.frame, settings.lower_case
    of_category = pl.col("task") == "QC"
    paths = _settled_paths(frame.select(pl.when(of_category).then("target")).to_series(), lower)
    titles = _settled(frame.select(pl.when(~of_category).then("target")).to_series(), lower)
    settled = frame.with_columns(
        query=_settled(frame["query"], lower),
        target=_present(titles.zip_with(frame["task"] == "QI", paths)),
        english=_present(_settled(frame["english"], lower)),
        language=_language(),
    )
    too_deep = of_category & (levels(pl.col("target")).list.len() > MAX_DEPTH)
    flag = pl.coalesce(
        "flag",
        pl.when(pl.col("query") == "").then(pl.lit(EMPTY_QUERY)),
        pl.when(pl.col("target").is_null()).then(pl.lit(MISSING_TARGET)),
        pl.when(too_deep).then(pl.lit(PATH_TOO_DEEP)),
        pl.when(_too_long("query")).then(pl.lit("query cut")),
        pl.when(_too_long("target")).then(pl.lit("target cut")),
    )
    texts = [_cut(name).alias(name) for name in ("query", "english")]
    target = pl.when(~too_deep).then(_cut("target")).fill_null("")
    return Pairs(settled.with_columns(*texts, target=target, flag=flag))


def clean_texts(texts: pl.Series, lower_case: bool) -> pl.Series:
    """Return queries or titles in the form that models read; null stays null.

    Normal form NFKC, HTML entities and backslash escapes undone, control and zero-width characters removed, runs of
    whitespace as one space, at most 2,000 characters. Lower case is Unicode's, without a language's own rules: `İ`
    and `I` both become `i`.

    >>> clean_texts(pl.Series(["Caf\\\\u00e9  Cr&egrave;me ", "ＵＳＢ　ｹｰﾌﾞﾙ"]), lower_case=True).to_list()
    ['café crème', 'usb ケーブル']
    """
    return _settled(texts, lower_case).to_frame("text").select(_cut("text")).to_series().alias(texts.name)


def clean_paths(paths: pl.Series, lower_case: bool) -> pl.Series:
    """Return category paths with each level cleaned like a text, so that `CategoryPath.parse` reads the same levels.

    A comma before a space, and every comma that cleaning brings forth, belongs to a name; any other comma separates
    levels, and so does ` > `. Levels without a text are left out.

    >>> clean_paths(pl.Series(["Home ,Kitchen,Tea , Coffee", "food，fresh > tea"]), lower_case=True).to_list()
    ['home,kitchen,tea, coffee', 'food, fresh,tea']
    """
    return _settled_paths(paths, lower_case).to_frame("path").select(_cut("path")).to_series().alias(paths.name)


def _settled(texts: pl.Series, lower_case: bool) -> pl.Series:
    """Return each text passed through until nothing changes or 33 times; the passes run on distinct texts only."""
    distinct = pl.DataFrame({"raw": texts.unique().drop_nulls()})
    clean = distinct.with_columns(clean=_passed(distinct["raw"], lower_case))
    return _mapped(texts, _until_stable(clean, lower_case))


def _until_stable(done: pl.DataFrame, lower_case: bool) -> pl.DataFrame:
    """Undo nested escapes and what lower case denormalized; each round sees only the texts the last one changed."""
    rounds, pending = [done.filter(pl.col("raw") == pl.col("clean"))], done.filter(pl.col("raw") != pl.col("clean"))
    for _ in range(_MOST_PASSES):
        if pending.is_empty():
            break
        again = pending.with_columns(again=_passed(pending["clean"], lower_case))
        stable = pl.col("again") == pl.col("clean")
        rounds.append(again.filter(stable).drop("again"))
        pending = again.filter(~stable).select("raw", clean="again")
    return pl.concat([*rounds, pending])


def _passed(texts: pl.Series, lower_case: bool) -> pl.Series:
    texts = _unescaped(texts).str.replace_many(_BEFORE_NFKC)
    texts = texts.str.replace_all(r"(\d)([¼-¾⅐-⅞])", "$1 $2").str.replace_all(_INVISIBLE, "")
    texts = texts.str.normalize("NFKC").str.replace_many(AFTER_NFKC)
    if lower_case:
        texts = texts.str.to_lowercase().str.replace_all("i\u0307", "i", literal=True)
    return texts.str.replace_all(r"\s+", " ").str.strip_chars()


def _unescaped(texts: pl.Series) -> pl.Series:
    escaped = texts.str.contains(_ESCAPED)
    if not escaped.any():
        return texts
    plain = pl.Series([_unescape(text) for text in texts.filter(escaped)], dtype=pl.String)
    return texts.scatter(escaped.arg_true(), plain)


def _unescape(text: str) -> str:
    text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    text = _CODE_UNITS.sub(lambda match: _decoded(match[0]), text)
    return _BACKSLASHED.sub(lambda match: " " if match[0][1] in "nrt" else match[0][1], text)


def _decoded(code_units: str) -> str:
    return bytes.fromhex(code_units.replace("\\u", "")).decode("utf-16-be", errors="ignore")


def _settled_paths(paths: pl.Series, lower_case: bool) -> pl.Series:
    distinct = pl.DataFrame({"raw": paths.unique().drop_nulls()})
    raw = pl.col("raw").str.replace_all(r",\s", ", ")
    split = distinct.with_columns(level=levels(raw)).explode("level")
    spaced = _settled(split["level"], lower_case).str.replace_all(r"\s*(,\s*)+", ", ")
    named = split.with_columns(level=spaced.str.split(_LEVEL_ARROW)).explode("level")
    texts = (
        named.with_columns(pl.col("level").str.strip_chars(" ,"))
        .filter(pl.col("level") != "")
        .group_by("raw", maintain_order=True)
    )
    return _mapped(paths, texts.agg(clean=pl.col("level").str.join(",")))


def _mapped(texts: pl.Series, table: pl.DataFrame) -> pl.Series:
    """Return `clean` of the row of `table` whose `raw` is the text; null where there is none."""
    raw = texts.to_frame("raw")
    return raw.join(table, on="raw", how="left", maintain_order="left")["clean"]


def _present(texts: pl.Series) -> pl.Series:
    missing = texts.str.to_lowercase().is_in(MISSING_WORDS)
    return texts.set(missing.fill_null(value=False), None)


def _language() -> pl.Expr:
    code = pl.col("language").str.strip_chars().str.to_lowercase().str.replace(r"[-_].*$", "")
    return pl.when(code != "").then(code.replace(LANGUAGE_ALIASES))


def _too_long(column: str) -> pl.Expr:
    return pl.col(column).str.len_chars() > MAX_CHARACTERS


def _cut(column: str) -> pl.Expr:
    """Cut at the limit; the comma that a cut inside a name leaves at the end would be a level without a name."""
    cut = pl.col(column).str.slice(0, MAX_CHARACTERS).str.strip_chars_end(" ,")
    return pl.when(_too_long(column)).then(cut).otherwise(pl.col(column))
