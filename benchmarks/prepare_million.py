"""How long a million raw pairs take to become clean pairs dealt into folds, and how much memory.

Prints one JSON line: seconds per step, the peak memory in GB and the numbers of rows. Run it with
`python benchmarks/prepare_million.py [rows]`.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from shopglot.curate.clean import clean
from shopglot.curate.duplicates import settle_duplicates
from shopglot.curate.language import correct_languages
from shopglot.curate.read import read_pairs
from shopglot.curate.settings import CurateSettings
from shopglot.fold.deal import deal
from shopglot.fold.settings import FoldSettings

WORDS: Final = {
    "en": "red waterproof shoes kids backpack wireless headphones kitchen knife summer dress garden chair leather belt",
    "es": "zapatos rojos impermeables mochila infantil auriculares cuchillo cocina vestido verano silla jardín",
    "fr": "chaussures rouges imperméables enfant écouteurs couteau cuisine robe été chaise jardin ceinture cuir sac",
    "pt": "sapatos vermelhos impermeáveis mochila infantil fones faca cozinha vestido verão cadeira jardim cinto couro",
    "de": "schuhe rote wasserdichte rucksack kinder kopfhörer messer küche kleid sommer stuhl garten gürtel leder",
    "it": "scarpe rosse impermeabili zaino bambini cuffie coltello cucina vestito estate sedia giardino cintura pelle",
    "pl": "buty czerwone wodoodporne plecak dziecięcy słuchawki nóż kuchenny sukienka letnia krzesło ogrodowe pasek",
    "id": "sepatu merah tahan air ransel anak pisau dapur gaun musim panas kursi taman sabuk kulit kabel",
    "vn": "giày đỏ chống nước balo trẻ em tai nghe không dây dao bếp váy mùa hè ghế sân vườn thắt lưng da",
    "ja": "赤い 防水 靴 子供 リュック ワイヤレス イヤホン 包丁 夏 ワンピース 椅子 庭 ベルト 革 キッチン",
    "ko": "빨간 방수 신발 어린이 배낭 무선 이어폰 주방 칼 여름 원피스 정원 의자 가죽 벨트",
    "th": "รองเท้า สีแดง กันน้ำ กระเป๋า เด็ก หูฟัง ไร้สาย มีด ครัว ชุด ฤดูร้อน เก้าอี้ สวน เข็มขัด หนัง",
    "ar": "حذاء أحمر مقاوم للماء حقيبة أطفال سماعات لاسلكية سكين مطبخ فستان صيف كرسي حديقة حزام جلد",
}
LEVELS: Final = ("home", "garden", "sports, outdoors", "fashion", "audio", "kitchen", "kids, toys", "travel", "office")
SEED: Final = 7


def main(rows: int) -> None:
    """Time each step once and print the figures."""
    settings, seconds = CurateSettings(), dict[str, float]()
    with tempfile.TemporaryDirectory() as folder:
        files = _write_files(Path(folder), rows)
        before = _peak_gigabytes()
        with _timed("read", seconds):
            pairs = read_pairs(files, settings).pairs
    with _timed("clean", seconds):
        pairs = clean(pairs, settings)
    with _timed("language", seconds):
        pairs = correct_languages(pairs, settings)
    with _timed("duplicates", seconds):
        pairs, counts = settle_duplicates(pairs, settings)
    with _timed("folds", seconds):
        deal(pairs, FoldSettings(), seed=SEED)
    figures = {
        "benchmark": "prepare_million",
        "rows": rows,
        "distinct_queries": pairs["query"].n_unique(),
        "duplicates": counts["duplicates"],
        "seconds": seconds | {"all": round(sum(seconds.values()), 1)},
        "peak_gb": _peak_gigabytes(),
        "peak_gb_before_reading": before,
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(figures))


@contextmanager
def _timed(step: str, seconds: dict[str, float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - start, 1)


def _peak_gigabytes() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)


def _write_files(folder: Path, rows: int) -> list[Path]:
    """Write half the rows as category pairs, half as item pairs; about three in ten with a query of their own."""
    rng = np.random.default_rng(SEED)
    half = rows // 2
    queries = _queries(rng, rows * 2 // 5)
    files = []
    for task, target in (("QC", _paths(rng, half)), ("QI", _titles(rng, half))):
        asked = queries[rng.integers(len(queries), size=half)]
        frame = asked.with_columns(
            id=pl.int_range(1, half + 1, eager=True),
            task=pl.lit(task),
            label=pl.Series(rng.random(half) < 0.65).cast(pl.Int8),
            target=target,
        ).rename({"target": "category_path" if task == "QC" else "item_title"})
        files.append(folder / f"train_{task}.txt")
        frame.write_ndjson(files[-1])
    return files


def _queries(rng: np.random.Generator, count: int) -> pl.DataFrame:
    """Return raw queries of two to four words, some shouted, some escaped, one in seven under a wrong language."""
    parts = []
    for language, words in WORDS.items():
        size = count // len(WORDS)
        query = _phrases(rng, words.split(), size, most=4)
        oddity = rng.integers(20, size=size)
        query = pl.select(
            pl.when(pl.Series(oddity == 0)).then(query.str.to_uppercase())
            .when(pl.Series(oddity == 1)).then(pl.format(" {}  ", query))
            .when(pl.Series(oddity == 2)).then(query.str.replace(" ", " &amp; "))
            .otherwise(query)
        ).to_series()  # fmt: skip
        wrong = pl.Series(rng.random(size) < 1 / 7)
        named = pl.select(pl.when(wrong).then(pl.lit("en")).otherwise(pl.lit(language))).to_series()
        parts.append(pl.DataFrame({"language": named, "origin_query": query}))
    return pl.concat(parts)


def _phrases(rng: np.random.Generator, words: list[str], size: int, most: int) -> pl.Series:
    """Return phrases of two to `most` words and, half the time, a model number, so that most are distinct."""
    columns = [pl.Series(rng.choice(words, size)) for _ in range(most)]
    length = pl.Series(rng.integers(2, most + 1, size))
    chosen = [pl.when(length > position).then(column) for position, column in enumerate(columns)]
    number = pl.when(pl.Series(rng.random(size) < 0.5)).then(pl.Series(rng.integers(1, 2000, size)).cast(pl.String))
    return pl.select(pl.concat_str(*chosen, number, separator=" ", ignore_nulls=True)).to_series()


def _titles(rng: np.random.Generator, size: int) -> pl.Series:
    return _phrases(rng, WORDS["en"].title().split(), size, most=14)


def _paths(rng: np.random.Generator, size: int) -> pl.Series:
    columns = [pl.Series(rng.choice(LEVELS, size)) for _ in range(4)]
    return pl.select(pl.concat_str(columns, separator=",")).to_series()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
