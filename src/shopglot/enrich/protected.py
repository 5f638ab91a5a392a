"""What is not translated, and what a translation must not lose: numbers, model codes and brand names."""

from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from shopglot.core.errors import DataError
from shopglot.enrich.translate_settings import TranslateSettings

_WRITTEN: Final = r"[\p{L}\p{N}]"
_CODE: Final = r"\p{Latin}{0,4}[-./+_]?[0-9]+[-./+_,]?\p{Latin}{0,3}"
"""A stretch of a model code or measure: `wh-1000`, `xm4`, `100cm`; longer runs of letters are words."""
_WORD_OF_CODES: Final = rf" [^\s\p{{L}}\p{{N}}]*(?:{_CODE})+[^\s\p{{L}}\p{{N}}]* "
_RUN: Final = r"[0-9]+|[\p{N}--[0-9]]+|\p{Latin}+"
_NUMBERS: Final = r"\p{Latin}+-?[0-9][\p{Latin}0-9-]*|[0-9]+(?:[.,][0-9]+)*"


@dataclass(frozen=True, slots=True)
class Protected:
    """Keeps from a translator what needs none or would be harmed, and puts back what it lost.

    `brands` are names of one or more words; texts of more than `max_characters` are kept as they are.
    """

    brands: tuple[str, ...] = ()
    max_characters: int = 500

    @classmethod
    def of(cls, settings: TranslateSettings) -> Self:
        """Return the protection that the settings ask for; raises DataError when the file of brands cannot be read."""
        if settings.brands is None:
            return cls(max_characters=settings.max_characters)
        try:
            lines = settings.brands.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as reason:
            raise DataError(f"the brands {settings.brands} cannot be read ({reason}); name a text file in UTF-8") from (
                reason
            )
        spoken = pl.Series(lines, dtype=pl.String).str.strip_chars().unique().sort()
        return cls(tuple(spoken.filter(spoken.str.contains(_WRITTEN))), settings.max_characters)

    def outcome(self) -> pl.Expr:
        """The reason to keep a row of `text`, `source` and `target` as it is, null where it is to be translated."""
        text = pl.col("text")
        words = pl.format(" {} ", text.str.strip_chars().str.replace_all(r"\s+", "  "))
        rest = self._without_brands(words.str.replace_all(_WORD_OF_CODES, ""))
        return pl.coalesce(
            pl.when(~text.str.contains(_WRITTEN).fill_null(value=False)).then(pl.lit("kept-empty")),
            pl.when(pl.col("source") == pl.col("target")).then(pl.lit("kept-same-language")),
            pl.when(text.str.len_chars() > self.max_characters).then(pl.lit("kept-long")),
            pl.when(~rest.str.contains(_WRITTEN)).then(pl.lit("kept-code")),
            pl.when(pl.any_horizontal(pl.col("source", "target").is_null())).then(pl.lit("unknown-language")),
        )

    def mended(self, texts: pl.Series, translations: pl.Series) -> pl.Series:
        """Return the translations, each with the numbers, codes and brands of its text that it lost at its end.

        >>> Protected(("Acme",)).mended(pl.Series(["acme lampe 14-teilig, 3,5 mm"]), pl.Series(["lamp, 3.5mm"])).item()
        'lamp, 3.5mm 14 acme'
        """
        pieces = pl.col("text").str.extract_all(_NUMBERS)
        if self.brands:
            named = _words(pl.col("text")).str.extract_many(self._patterns(), leftmost=True)
            pieces = pl.concat_list(pieces, named.list.eval(pl.element().str.replace_all(r"\s+", " ")))
        frame = pl.DataFrame({"text": texts, "translation": translations}).with_row_index("row")
        asked = frame.select("row", "translation", piece=pieces).explode("piece").drop_nulls()
        asked = asked.unique(["row", "piece"], keep="first", maintain_order=True)
        lost = asked.filter(~_spelled(pl.col("translation")).str.contains(_spelled(pl.col("piece")), literal=True))
        ends = lost.group_by("row").agg(end=pl.col("piece").str.strip_chars().str.join(" "))
        whole = pl.concat_str("translation", "end", separator=" ")
        joined = frame.join(ends, on="row", how="left", maintain_order="left")
        return joined.select(pl.coalesce(whole, "translation").alias("translation")).to_series()

    def _without_brands(self, texts: pl.Expr) -> pl.Expr:
        return _words(texts).str.replace_many(self._patterns(), [""], leftmost=True) if self.brands else texts

    def _patterns(self) -> list[str]:
        """The brands, the longest first, so that of two that begin alike the longer is found."""
        found = pl.Series("brand", self.brands).to_frame().select(_words(pl.col("brand"))).to_series().unique()
        return sorted(found, key=lambda brand: (-len(brand), brand))


def _words(text: pl.Expr) -> pl.Expr:
    """The words in lower case, each between spaces of its own, so that one never ends inside another."""
    spaced = text.str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}\p{N}]+", " ").str.strip_chars(" ")
    return pl.format(" {} ", spaced.str.replace_all(" ", "  ", literal=True))


def _spelled(text: pl.Expr) -> pl.Expr:
    """The text as it is compared: `WH-1000XM4` as `wh 1000 xm 4`, and `3,5mm` as `35 mm`."""
    joined = text.str.to_lowercase()
    for _ in range(2):  # in 1.2.3 the second separator is found when the first is gone
        joined = joined.str.replace_all(r"([0-9])[.,]([0-9])", "${1}${2}")
    apart = joined.str.replace_all(_RUN, " ${0} ").str.replace_all(r"[^\p{L}\p{M}\p{N}]+", " ")
    return pl.format(" {} ", apart.str.strip_chars(" "))
