"""A made-up shop of a few shelves: small enough to learn in a moment, with a signal that can be learned."""

import numpy as np
import polars as pl

from shopglot.core.pairs import Pairs

SHELVES = {
    "food,tea": ("green tea", "black tea", "herbal tea, loose"),
    "food,coffee": ("espresso beans", "filter coffee"),
    "home,kitchen,pots": ("sauce pan", "stock pot", "wok"),
    "home,kitchen,knives": ("bread knife", "cleaver"),
    "home,garden": ("party tent", "garden hose", "wheelbarrow"),
    "sports,water": ("surf board", "swim goggles", "snorkel"),
}
PATHS = tuple(f"{shelf},{leaf}" for shelf, leaves in SHELVES.items() for leaf in leaves)
FOREIGN = {"green tea": "緑茶 green", "wok": "poêle wok", "snorkel": "шноркель", "cleaver": "hachoir"}
BRANDS = ("acme", "nordic", "luna", "terra")


def pairs(count: int = 240, seed: int = 5) -> Pairs:
    """Return clean labelled pairs of both tasks in turn; about half are relevant."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        wanted, other = (PATHS[position] for position in rng.choice(len(PATHS), 2, replace=False))
        label = int(rng.random() < 0.5)
        shown = wanted if label else other
        english, leaf = (_leaf(path) for path in (wanted, shown))
        task = "QC" if number % 2 else "QI"
        rows.append(
            {
                "id": f"{task}-{number}",
                "task": task,
                "query": f"{FOREIGN.get(english, english)} {rng.choice(['', '2 kg', 'cheap'])}".strip(),
                "english": english,
                "language": "fr" if english in FOREIGN else "en",
                "target": shown if task == "QC" else f"{rng.choice(BRANDS)} {leaf} {rng.integers(1, 90)}",
                "label": label,
                "brand": rng.choice(BRANDS),
            }
        )
    return Pairs.from_frame(pl.DataFrame(rows))


def texts() -> list[str]:
    """Return every text of the shop, to build a tokenizer from."""
    shown = pairs(400, seed=1)
    return [*shown["query"].unique().sort(), *shown["target"].unique().sort()]


def _leaf(path: str) -> str:
    return next(leaf for shelf, leaves in SHELVES.items() for leaf in leaves if path == f"{shelf},{leaf}")
