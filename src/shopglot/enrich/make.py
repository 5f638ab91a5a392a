"""Training pairs are made from labelled ones: the same meaning, written another way."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.errors import DataError, RecipeError
from shopglot.core.pairs import Pairs
from shopglot.enrich.code_mix import code_mixed
from shopglot.enrich.draw import Draws, draws, hashed
from shopglot.enrich.path_variants import path_drops, path_suffixes
from shopglot.enrich.settings import MakeSettings
from shopglot.enrich.translated_pairs import back_translated, paraphrased, translated
from shopglot.enrich.translator import Translate
from shopglot.enrich.typing_noise import accents_left_out, other_spaces, typos

log = logging.getLogger(__name__)
Change = Callable[[pl.DataFrame, Draws], pl.DataFrame]
"""Parents and their draws to the same rows changed; the query or the target of those that it cannot change is null."""

_GROWTH: Final = 4
_DRAWS: Final = 4
"""One for the order of the parents, three for what becomes of each."""

_TEXTS: Final = ("task", "query", "target")


@dataclass(frozen=True, eq=False, slots=True)
class Made:
    """The made pairs, and for each kind how many were `wanted`, `made`, and found `unchanged` on the way."""

    pairs: Pairs
    counts: dict[str, dict[str, int]]


@dataclass(frozen=True, eq=False, slots=True)
class _Kind:
    """One way to make pairs: its name, its made pairs per parent, and what stands in `made_by`."""

    name: str
    share: float
    change: Change
    by: str


def make_pairs(
    pairs: Pairs,
    settings: MakeSettings,
    *,
    seed: int,
    translate: Translate | None = None,
    translator: str | None = None,
) -> Made:
    """Return the pairs that `settings` ask for, made from the labelled, readable, original ones among `pairs`.

    A made pair keeps its parent's label, weight and own columns, is named after it (`QC-7~typo`), and says in
    `made_from` and `made_by` whence it comes; `translator` is the name that stands there for `translate`. Which
    parents are drawn, and what becomes of each, follows from the seed and their ids: neither the order of the rows
    nor other rows change it, but for how many are wanted. Where a change leaves a pair as it was, or gives the texts of
    a pair that is there already, the next parent is drawn.

    Raises RecipeError where translations are wanted and `translate` is None, and DataError where a new id is taken.
    """
    parents = pairs.labelled.filter(pl.col("made_from").is_null())
    parents = parents.filter(parents.readable)
    hashes, known = hashed(parents["id"], seed), pairs.frame.select(_TEXTS).unique()
    parts, counts = [Pairs.concat([]).frame], {}
    for kind in _kinds(settings, translate, translator):
        made, counts[kind.name] = _made(parents.frame, kind, hashes, known)
        parts.append(made)
        log.info("%s: %s", kind.name, ", ".join(f"{count} {what}" for what, count in counts[kind.name].items()))
    made = pl.concat(parts, how="diagonal")
    if (taken := made["id"].filter(made["id"].is_in(pairs["id"].implode()))).len():
        raise DataError(f"the id {taken[0]!r} of a made pair is taken; make pairs once, from pairs without such ids")
    return Made(Pairs(made), counts)


def _kinds(settings: MakeSettings, translate: Translate | None, translator: str | None) -> list[_Kind]:
    """Return the kinds that are wanted."""
    typed = [
        _Kind("typo", settings.typos, typos, "typo"),
        _Kind("accents", settings.accents, accents_left_out, "accents"),
        _Kind("spacing", settings.spacing, other_spaces, "spacing"),
        _Kind("code-mix", settings.code_mix, code_mixed, "code-mix"),
        _Kind("path-suffix", settings.path_suffix, path_suffixes, "path-suffix"),
        _Kind("path-drop", settings.path_drop, path_drops, "path-drop"),
    ]
    via, into = settings.back_translation_via, settings.translated
    worded: list[tuple[str, float, Callable[[pl.DataFrame, Translate], pl.DataFrame]]] = [
        ("paraphrase", settings.paraphrase, paraphrased),
        (f"back-translation:{via}", settings.back_translation, partial(back_translated, via=via)),
        *((f"translated:{code}", into.share, partial(translated, language=code)) for code in into.languages),
    ]
    wanted = [kind for kind in typed if kind.share]
    for name, share, change in worded:
        if share and translate is None:
            raise RecipeError(f"enrich.make asks for {name} pairs, but no translator is set; name one or set it to 0")
        if share and translate is not None:
            wanted.append(
                _Kind(name, share, _with(change, translate), f"{name} by {translator}" if translator else name)
            )
    return wanted


def _with(change: Callable[[pl.DataFrame, Translate], pl.DataFrame], translate: Translate) -> Change:
    return lambda rows, _: change(rows, translate)


def _made(
    parents: pl.DataFrame, kind: _Kind, hashes: NDArray[np.uint64], known: pl.DataFrame
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return as many pairs of one kind as are wanted, from the parents in drawn order as far as they go.

    Each round looks at as many parents as are missing, or a quarter of those seen where few can be changed: a
    translator is slow, and rounds take time too.
    """
    drawn = draws(hashes, kind.name, _DRAWS)
    order = np.argsort(drawn[:, 0], kind="stable")
    wanted = round(kind.share * parents.height)
    found, made, unchanged, seen = [parents.clear()], 0, 0, 0
    while made < wanted and seen < len(order):
        batch = order[seen : seen + max(wanted - made, seen // _GROWTH)]
        rows = parents[batch].with_columns(
            id=pl.format("{}~{}", "id", pl.lit(kind.name)),
            made_from="id",
            made_by=pl.lit(kind.by),
            annotator=pl.lit(None, dtype=pl.String),
            flag=pl.lit(None, dtype=pl.String),
        )
        new = _new(kind.change(rows, drawn[batch, 1:]), known)
        found.append(new.head(wanted - made))
        seen, made, unchanged = seen + len(batch), made + found[-1].height, unchanged + len(batch) - new.height
    return pl.concat(found), {"wanted": wanted, "made": made, "unchanged": unchanged}


def _new(changed: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with texts that no pair has yet; texts of nothing but spaces are none."""
    written = changed.filter(pl.all_horizontal(pl.col("query", "target").str.strip_chars() != ""))
    there = known.join(written.select(_TEXTS), on=_TEXTS, how="semi")  # the few are hashed, not the many
    return written.join(there, on=_TEXTS, how="anti", maintain_order="left")
