"""What a missing translation costs with and without translation dropout: `python -m benchmarks.translation_dropout`.

On the simulated marketplaces of `benchmarks.enrich_table`, with right translations. Prints one JSON line per task,
group of languages, way to read a query and rate of dropout, pooled over the seeds, all on the translated pairs of dev:
F1 as the pairs are, F1 without their translations, and what is `lost`, with its 95 % interval over queries and as a
share of what is lost without dropout. `never` is the F1 without translations of a model that never had one, `avoidable`
how far the model stays below that: what dropout can give back. All figures are of simulated pairs.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.enrich_table import SEEDS, groups, over_seeds, recipe_of, tell, trained, translated_as
from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.enrich.readings import readings
from shopglot.pack.bundle import Bundle
from shopglot.pipeline import gather
from shopglot.report.measure import Measures, difference
from shopglot.report.settings import ReportSettings

RATES: Final = (0.0, 0.1, 0.3, 0.5, 0.8)
NEVER: Final = "never"
READ: Final = {NEVER: ("original",), "side by side": ("original", "english"), "as one text": ("both",)}


def main() -> None:
    """Train with every rate on every seed, and print what is lost over all of them."""
    judged: dict[tuple[str, float], list[tuple[Judged, Judged]]] = defaultdict(list)
    with TemporaryDirectory() as folder:
        for seed in SEEDS:
            work = Path(folder) / f"{seed}"
            data = gather(recipe_of(seed), work)
            dev = readings(data.dev.filter(data.dev.translated), seed)
            for name, rate in ((NEVER, 0.0), *tried()):
                own = translated_as(data, "none") if name == NEVER else data
                recipe = recipe_of(seed, READ[name], enrich={"translation_dropout": rate})
                _, bundle, _ = trained(recipe, own, work / f"{name} {rate}")
                judged[name, rate].append((judged_by(bundle, dev["both"]), judged_by(bundle, dev["original"])))
    pooled = {
        key: (over_seeds([both for both, _ in parts]), over_seeds([missing for _, missing in parts]))
        for key, parts in judged.items()
    }
    _, never = pooled[NEVER, 0.0]
    for name, rate in tried():
        with_it, without = pooled[name, rate]
        for task, group, rows in groups(with_it.pairs):
            f1, missing, at_best = (Measures.of(each, rows).f1 for each in (with_it, without, never))
            lost, plainly = (
                difference(*sides, rows, ReportSettings(), seed=0) for sides in (pooled[name, rate], pooled[name, 0.0])
            )
            tell(
                "dev",
                "translation_dropout",
                read=name,
                rate=rate,
                task=task,
                group=group,
                count=int(rows.sum()),
                f1=f1,
                missing=missing,
                lost=lost.f1,
                low=lost.interval[0],
                high=lost.interval[1],
                share=lost.f1 / plainly.f1 if plainly.f1 else None,
                never=at_best,
                avoidable=at_best - missing,
            )


def tried() -> Iterator[tuple[str, float]]:
    """Yield every way to read a query with every rate."""
    for name in READ:
        if name != NEVER:
            yield from ((name, rate) for rate in RATES)


def judged_by(bundle: Bundle, pairs: Pairs) -> Judged:
    """Return how the bundle judges clean pairs."""
    decided = bundle.score_clean(pairs)
    return Judged("dev", pairs, decided.probability, decided.decision)


if __name__ == "__main__":
    main()
