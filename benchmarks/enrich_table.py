"""What translations and made pairs are worth on the simulated marketplace: `python -m benchmarks.enrich_table`.

The same frozen sentence encoder with small heads learns from the training pairs of several marketplaces and judges
their dev pairs: reading the query as typed, its English or both, with right translations and with those of a simulated
machine; and, reading both, with each kind of made pairs alone and with all of them, beside heads that merely start
elsewhere. Prints one JSON line per configuration, task and group of languages, pooled over the seeds, with the
difference of F1 to its base and its 95 % interval over queries. The translator is a dictionary of queries of another
simulated marketplace. All figures are of simulated pairs.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import polars as pl

from shopglot.config import Recipe
from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import OWN, Pairs
from shopglot.curate.clean import clean_texts
from shopglot.demo.simulate import LANGUAGES_OF, simulate
from shopglot.pack.bundle import Bundle
from shopglot.pipeline import Data, deal_folds, enriched, gather, learn, merge
from shopglot.report.measure import Measures, difference, values_of
from shopglot.report.settings import ReportSettings

SEEDS: Final = (7, 8, 9)
PAIRS: Final = 12_000
SHARE: Final = 0.3
DICTIONARY_PAIRS: Final = 150_000
DICTIONARY_SEED: Final = 1000
NEW_LANGUAGES: Final = ("ar", "de", "it", "pl", "id", "vi")
BASE: Final = "both, right"

_SAID: Final = ("concept", "language", "origin_query", "translated_query")

TYPED: Final = ("path_suffix", "path_drop", "typos", "accents", "spacing", "code_mix", "paraphrase")

KINDS: Final[dict[str, dict[str, Any]]] = {
    **{kind: {"make": {kind: SHARE}} for kind in TYPED},
    "word_order": {"make": {"paraphrase": SHARE}, "translate": {"translator": {"kind": "none"}}},
    "back_translation": {"make": {"back_translation": SHARE, "back_translation_via": "es"}},
    "translated": {"make": {"translated": {"languages": NEW_LANGUAGES, "share": SHARE / len(NEW_LANGUAGES)}}},
    "negatives": {"negatives": {"per_positive": SHARE}},
    "translation_dropout": {"translation_dropout": SHARE},
}
"""What each kind sets under `enrich`; without a translator a paraphrase is a new order of words."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Which texts of the query are read, by whom they are translated, what `enrich` adds, and the heads' seed."""

    name: str
    base: str
    queries: tuple[str, ...] = ("original", "english")
    translations: str = "right"
    enrich: dict[str, Any] | None = None
    heads: int = 0


def main() -> None:
    """Train and judge every configuration on every seed, and print the figures over all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    seeds = parser.parse_args().seeds
    judged: dict[str, list[Judged]] = defaultdict(list)
    with TemporaryDirectory() as folder:
        dictionary = write_dictionary(Path(folder))
        for seed in seeds:
            work = Path(folder) / f"{seed}"
            data = gather(recipe_of(seed), work)
            for each in configurations(dictionary):
                recipe = recipe_of(seed, each.queries, each.heads, enrich=each.enrich or {})
                gained, _, dev = trained(recipe, translated_as(data, each.translations), work / each.name)
                judged[each.name].append(dev)
                tell("made", configuration=each.name, seed=seed, made=made_counts(gained))
    pooled = {name: over_seeds(parts) for name, parts in judged.items()}
    for each in configurations(dictionary):
        tell_quality(each, pooled)


def configurations(dictionary: Path) -> Iterator[Configuration]:
    """Yield what is compared; all that adds pairs reads both texts, the translations being right."""
    original = "original, no translation"
    yield Configuration(original, original, ("original",), "none")
    for translations in ("right", "machine"):
        yield Configuration(f"english, {translations}", original, ("english",), translations)
        yield Configuration(f"both, {translations}", original, ("original", "english"), translations)
    yield Configuration("nothing, other heads", BASE, heads=1)
    translator = {"kind": "table", "files": [dictionary], "target": "target"}
    table = {"translator": translator, "cache": dictionary.with_name("cache")}
    for kind, added in KINDS.items():
        yield Configuration(kind, BASE, enrich={"translate": table, **added})
    make = {name: share for added in KINDS.values() for name, share in added.get("make", {}).items()}
    yield Configuration("all kinds", BASE, enrich={"translate": table, "make": make, **KINDS["negatives"]})


def recipe_of(seed: int, queries: Sequence[str] = ("original", "english"), heads: int = 0, **stages: Any) -> Recipe:
    """Return a recipe on a simulated marketplace; a head of two small networks is trained in seconds."""
    learner = {"learner": "embedding", "name": "use", "queries": queries, "windows": [4], "networks": 2, "seed": heads}
    whole = {
        "name": "enrich",
        "seed": seed,
        "data": {"simulate": {"pairs": PAIRS, "seed": seed}},
        "curate": {"correct_language": False},
        "fold": {"folds": 2},
        "learn": [learner],
    }
    return Recipe.model_validate(whole | stages)


def translated_as(data: Data, translations: str) -> Data:
    """Return the data with the `right` translations, with those of the simulated `machine`, or with none."""
    if translations == "right":
        return data

    def of(pairs: Pairs) -> Pairs:
        if translations == "none":
            return Pairs(pairs.frame.with_columns(english=pl.lit(None, dtype=pl.String)))
        machine = clean_texts(pairs[f"{OWN}machine_translation"], lower_case=True)
        return Pairs(pairs.frame.with_columns(english=machine))

    return replace(data, train=of(data.train), dev=of(data.dev))


def trained(recipe: Recipe, data: Data, work: Path) -> tuple[Data, Bundle, Judged]:
    """Return the enriched data, the bundle learned from them, and how it judges dev."""
    gained = enriched(recipe, data)
    folds = deal_folds(recipe, gained.train, work)
    bundle, evidence = merge(recipe, gained, folds, learn(recipe, gained, folds, work), work)
    return gained, bundle, evidence.judged[-1]


def write_dictionary(folder: Path) -> Path:
    """Write how another marketplace says each meaning in each language: every spelling, and the most frequent one."""
    files = simulate(folder / "dictionary", pairs=DICTIONARY_PAIRS, seed=DICTIONARY_SEED).files.values()
    rows = pl.concat([pl.read_ndjson(file).select(_SAID) for file in files])
    said = pl.concat(
        [
            rows.select("concept", language=pl.col("language").replace("vn", "vi"), text="origin_query"),
            rows.select("concept", language=pl.lit("en"), text="translated_query"),
        ]
    )
    clean = said.with_columns(text=clean_texts(said["text"], lower_case=True))
    spellings = clean.group_by(pl.all()).len().sort(["len", "text"], descending=[True, False])
    frequent = spellings.unique(["concept", "language"], keep="first", maintain_order=True)
    known = spellings.join(frequent, on="concept", suffix="_wanted").filter(
        pl.col("language") != pl.col("language_wanted")
    )
    path = folder / "dictionary.csv"
    known.sort("len", descending=True).select(
        "text", source="language", target="language_wanted", translation="text_wanted"
    ).write_csv(path)
    return path


def over_seeds(parts: Sequence[Judged]) -> Judged:
    """Return the judgements of all seeds as one; what two marketplaces both ask is two queries."""
    marked = [
        Pairs(part.pairs.frame.with_columns(pl.format("{} {}", pl.lit(number), pl.col("id", "query")).name.keep()))
        for number, part in enumerate(parts)
    ]
    return Judged(
        "dev",
        Pairs.concat(marked),
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.decision for part in parts]),
    )


def tell_quality(each: Configuration, pooled: Mapping[str, Judged]) -> None:
    """Print the figures of a configuration, and what it gains over its base."""
    own, base, settings = pooled[each.name], pooled[each.base], ReportSettings()
    for task, group, rows in groups(own.pairs):
        found = Measures.of(own, rows)
        gained = difference(own, base, rows, settings, seed=0)
        tell(
            "dev",
            configuration=each.name,
            task=task,
            group=group,
            count=found.count,
            f1=found.f1,
            pr_auc=found.pr_auc,
            all_positive_f1=found.all_positive_f1,
            base=each.base,
            gain=gained.f1,
            low=gained.interval[0],
            high=gained.interval[1],
        )


def groups(pairs: Pairs) -> Iterator[tuple[Task, str, Mask]]:
    """Yield the rows of each task that are not English, in languages that train shows or lacks, and each language."""
    task, language = (pairs[name].cast(pl.String) for name in ("task", "language"))
    for name in TASKS:
        own = (task == name).to_numpy()
        seen = language.is_in(LANGUAGES_OF[name, "train"]).to_numpy()
        foreign = own & (language != "en").to_numpy()
        yield name, "not English", foreign
        yield name, "seen, not English", foreign & seen
        yield name, "unseen", own & ~seen
        for code, rows in values_of(language).items():
            if (own & rows).any():
                yield name, code, own & rows


def made_counts(data: Data) -> dict[str, int]:
    """Return how many pairs of each kind were made before the folds."""
    return {kind: counts["made"] for kind, counts in data.facts.get("enrich", {}).get("made", {}).items()}


def tell(what: str, benchmark: str = "enrich_table", **figures: Any) -> None:
    """Print one line of figures, rounded to four digits."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}
    print(json.dumps({"benchmark": benchmark, "what": what, **rounded}), flush=True)


if __name__ == "__main__":
    main()
