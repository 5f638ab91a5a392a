"""The guard against false negatives: which made pairs must not be called irrelevant."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from shopglot.core.category import MAX_DEPTH, levels
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scorer

SCORED_HIGH: Final = "scored high"

_COMPARED: Final = (
    ("known as relevant", "target", "target"),
    ("ancestor", "prefixes", "whole"),
    ("descendant", "whole", "prefixes"),
    ("same name", "leaf", "leaf"),
    ("nested name", "below_top", "endings"),
    ("nested name", "endings", "below_top"),
)
"""A pair is refused by the rule where one of its forms (the last) is a form (the middle one) of a relevant pair."""

RULES: Final = (*dict.fromkeys(rule for rule, _, _ in _COMPARED), SCORED_HIGH)
"""Why a pair is refused, in the order in which the rules are asked."""

_PART: Final = r"\s*(?:[&/+,]|\band\b)\s*"
_MOST_WORDS: Final = 8
_BREAK: Final = "\n"  # plain texts have none


@dataclass(frozen=True, eq=False, slots=True)
class Guard:
    """What is known to be relevant, looked up once and asked of many pairs.

    What is relevant to a query is relevant to every query that shares its spelling, its `english` or its `concept`.
    Refused are such pairs themselves; ancestors and descendants of their paths; leaves with their name or with that of
    the query; leaves under the same top level with a longer or shorter form of their name ("folding chairs" and
    "folding chairs & stools", "leggings" and "baby leggings"); and what `scorer`, such as the ensemble, scores at
    `limit` or above. Texts are compared as `plain` writes them, by hashes of 64 bits.

    A shorter form is one that ends the name, as in English. In target languages whose main word stands first, that
    rule finds less.
    """

    known: tuple[pl.Series, ...]
    scorer: Scorer | None = None
    limit: float = 0.5

    @classmethod
    def of(cls, relevant: pl.DataFrame, scorer: Scorer | None = None, limit: float = 0.5) -> Self:
        """Return the guard that knows these relevant pairs: columns query, english, concept, target and path.

        `path` is the category of the query or of its target, null where it is unknown.
        """
        forms = _forms(relevant)
        return cls(tuple(_marks(forms, known)["mark"].unique() for _, known, _ in _COMPARED), scorer, limit)

    def refusals(self, candidates: pl.DataFrame) -> pl.Series:
        """Return for each pair the rule of `RULES` that refuses it, null where it may be called irrelevant.

        The table has the columns of relevant pairs, and with a scorer also those that it reads, such as `task`.
        """
        forms = _forms(candidates)
        asked = zip(_COMPARED, self.known, strict=True)
        met = [(_rows_that_meet(forms, own, known), rule) for (rule, _, own), known in asked]
        met.append((forms.filter(_NAMED_ALIKE)["row"], "same name"))
        reasons = forms.select("row", reason=pl.coalesce(_said_of(rows, rule) for rows, rule in met))
        unrefused = reasons.filter(pl.col("reason").is_null())["row"]
        if self.scorer is None or unrefused.is_empty():
            return reasons["reason"]
        scores = self.scorer.score(Pairs.from_frame(candidates[unrefused].drop("path")))
        high = unrefused.filter(pl.Series(scores >= self.limit))
        return reasons.select(pl.coalesce("reason", _said_of(high, SCORED_HIGH)).alias("reason")).to_series()


def plain(text: pl.Expr) -> pl.Expr:
    """Return what texts share that differ in case, accents, punctuation, spaces and plural endings alone.

    The letters e, i, s and y at the end of a word are left out, so that "boxes", "shoes" and "batteries" meet their
    singular. Some unlike words meet too, which only makes the guard refuse more.

    >>> pl.select(plain(pl.Series(["Crème  Brûlée-Dishes", "battery", "Batteries"]))).to_series().to_list()
    ['crem brul dish', 'batter', 'batter']
    """
    letters = text.str.normalize("NFKD").str.to_lowercase().str.replace_all(r"[\u0300-\u036f]", "")
    words = letters.str.replace_all(r"[^\p{L}\p{M}\p{N}]+", " ").str.strip_chars()
    return words.str.replace_all(r"(\w{2,}?)[eisy]+\b", "$1")


def _said_of(rows: pl.Series, rule: str) -> pl.Expr:
    return pl.when(pl.col("row").is_in(rows.implode())).then(pl.lit(rule))


def _rows_that_meet(forms: pl.DataFrame, column: str, known: pl.Series) -> pl.Series:
    return _marks(forms, column).filter(pl.col("mark").is_in(known.implode()))["row"].unique()


def _marks(forms: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return a `mark` for each key of a pair's query with each of its forms in `column`."""
    each = forms.select("row", "keys", form=column).explode("keys").explode("form").drop_nulls()
    return each.select("row", mark=pl.struct("keys", "form").hash())


_NAMED_ALIKE: Final = pl.col("names").list.set_intersection("said").list.len() > 0


def _forms(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the lists of forms of each pair: of its target, of its path, and `keys` of what names its query."""
    concept = pl.format("{}{}", pl.lit(_BREAK), "concept")  # no text is like it
    texts = pairs.select(
        pl.int_range(pl.len()).alias("row"),
        pl.col("path"),
        said=pl.concat_list(plain(pl.col("query")), plain(pl.col("english"))).list.drop_nulls(),
        concept=pl.concat_list(concept).list.drop_nulls(),
        target=pl.concat_list(plain(pl.col("target"))),
    )
    spelled = pl.col("said").list.eval(pl.element().str.replace_all(" ", "", literal=True))
    keyed = texts.with_columns(keys=pl.concat_list(spelled, "concept").list.eval(pl.element().hash()))
    return keyed.join(_path_forms(pairs["path"]), on="path", how="left", maintain_order="left")


def _path_forms(paths: pl.Series) -> pl.DataFrame:
    """Return the lists of forms of each distinct path; `below_top` and `endings` begin with its top level."""
    distinct = paths.drop_nulls().unique().to_frame("path").with_columns(level=levels(pl.col("path")))
    leaf = pl.col("level").list.last()
    cut = distinct.with_columns(
        level=pl.col("level").list.eval(plain(pl.element())),
        part=leaf.str.replace_all(_PART, _BREAK).str.split(_BREAK).list.eval(plain(pl.element())),
    )
    top = pl.col("level").list.first() + _BREAK
    forms = cut.with_columns(
        part=pl.concat_list("part", leaf).list.unique(),
        whole=pl.concat_list(pl.col("level").list.join(_BREAK)),
        prefixes=_joined(pl.col("level").list.head, MAX_DEPTH, _BREAK),
        leaf=pl.concat_list(leaf),
        below_top=pl.concat_list(top + leaf),
        top=top,
    )
    word = pl.col("part").str.split(" ")
    part = forms.select("path", "top", "part").explode("part").filter(pl.col("part") != "")
    ending = part.with_columns(ending=_joined(word.list.tail, _MOST_WORDS, " ")).explode("ending")
    endings = ending.group_by("path").agg(endings=(pl.col("top") + pl.col("ending")).unique())
    return forms.rename({"part": "names"}).drop("level", "top").join(endings, on="path", how="left")


def _joined(cut: Callable[[int], pl.Expr], most: int, between: str) -> pl.Expr:
    """Return the distinct texts of the first, or last, 1, 2, … up to `most` members of lists."""
    return pl.concat_list(cut(count).list.join(between) for count in range(1, most + 1)).list.unique()
