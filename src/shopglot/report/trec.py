"""Judgements and rankings in the files of the Text REtrieval Conference, which every tool of the field reads."""

import logging
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from shopglot.core.errors import DataError, RecipeError
from shopglot.core.files import require_folder_of, whole_file, whole_folder
from shopglot.core.pair import Task
from shopglot.core.pairs import OWN, Pairs
from shopglot.curate.blocks import read_bytes
from shopglot.curate.prepare import prepare_for_scoring
from shopglot.curate.raw import as_utf8, text_lines
from shopglot.curate.settings import CurateSettings
from shopglot.fold.hashing import unit_hash
from shopglot.pack.scored import scored_columns
from shopglot.report.faults import TARGETS

QRELS: Final = "qrels.txt"
RUN: Final = "run.txt"
QUERIES: Final = "queries.tsv"
DOCUMENTS: Final = "documents.tsv"
MEASURES: Final = ("nDCG@10", "RR", "AP", "P@1")
_SEVERAL: Final = 2
_UNPARSED: Final = (NameError, ValueError, AssertionError, TypeError)
_UNCOMPUTED: Final = (ValueError, AssertionError, OSError, subprocess.SubprocessError)
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, slots=True)
class Ranked:
    """The means of a run's measures over its queries, in a table with the columns `measure` and `value`.

    Of the `queries`, `absent` ones are judged but have no result in the run and count as 0. Left out are `single`
    queries, of whose one candidate no ranking can be made, and `unjudged` ones, which only the run has.
    """

    table: pl.DataFrame
    queries: int
    absent: int
    single: int
    unjudged: int


def export_trec(scored: Path, out: Path) -> dict[str, int]:
    """Write the pairs of a file into the folder `out`, and return the number of lines per file.

    `qrels.txt` has the labels if there are any and `run.txt` the scores if the file was scored; `queries.tsv` and
    `documents.tsv` say what the ids stand for. An id is that in the columns `query_id`, and `doc_id` or `product_id`,
    of the file; without them it is the task and a hash, of language and query or of the target. Rows of the same query
    and target become one, relevant where any is. Rows without a text are left out.
    """
    require_folder_of(out, {QRELS, RUN, QUERIES, DOCUMENTS})
    read = prepare_for_scoring([scored], CurateSettings(correct_language=False)).pairs
    pairs = read.filter(read.readable)
    was_scored = OWN + "score" in pairs.frame.columns
    score = scored_columns(pairs, scored, ["score"])["score"] if was_scored else pl.lit(None, dtype=pl.Float64)
    rows = _with_ids(pairs).with_columns(score=score)
    candidates = rows.group_by("query_id", "doc_id").agg(pl.first("query", "target"), pl.max("label", "score"))
    if alike := rows.height - candidates.height:
        log.warning("%d of the %d rows of %s repeat a query and a target; each counts once", alike, rows.height, scored)
    tables = _tables(candidates)
    if QRELS not in tables and RUN not in tables:
        raise DataError(f"{scored} has neither labels nor scores; label its pairs, or score it with `shopglot score`")
    with whole_folder(out) as part:
        for name, table in tables.items():
            separator = "\t" if name.endswith(".tsv") else " "
            table.write_csv(part / name, include_header=False, separator=separator, quote_style="never")
    return {name: table.height for name, table in tables.items()}


def import_trec(folder: Path, out: Path, *, task: Task, language: str | None = None, relevant: int = 1) -> int:
    """Write the candidates in a folder of TREC files as a file of pairs that `run` and `score` read; return how many.

    The folder holds `queries.tsv` and `documents.tsv`, each an id, a tab and a text, and `qrels.txt`, `run.txt` or
    both. A pair is labelled 1 from the grade `relevant` on; what only the run has is not labelled. The ids travel
    along, so that `export_trec` of the scored pairs has the same.
    """
    found = {name: reader(folder / name) for name, reader in _READERS.items() if (folder / name).exists()}
    if not found:
        raise DataError(f"{folder} has no {QRELS} and no {RUN}; name a folder with one of them")
    keys = ["query_id", "doc_id"]
    pairs = pl.concat([table.select(keys) for table in found.values()]).unique(maintain_order=True)
    if QRELS in found:
        pairs = pairs.join(found[QRELS], on=keys, how="left", maintain_order="left")
    grade = pl.col("relevance") if QRELS in found else pl.lit(None)
    table = pairs.select(
        *keys,
        id=pl.int_range(1, pl.len() + 1),
        task=pl.lit(task),
        language=pl.lit(language, dtype=pl.String),
        origin_query=_texts_of(pairs["query_id"], folder / QUERIES),
        target=_texts_of(pairs["doc_id"], folder / DOCUMENTS),
        label=(grade >= relevant).cast(pl.Int8),
    )
    with whole_file(out) as part:
        table.rename({"target": TARGETS[task]}).write_ndjson(part)
    return table.height


def read_qrels(path: Path) -> pl.DataFrame:
    """Return `query_id`, `doc_id` and `relevance` of the judgements in a file; raises DataError for a bad line."""
    table = _columns(path, ("query_id", "iteration", "doc_id", "relevance"))
    return _numbered(table, "relevance", pl.Int16, path)  # trec_eval takes memory for every grade up to the highest


def read_run(path: Path) -> pl.DataFrame:
    """Return `query_id`, `doc_id` and `score` of the results in a file; raises DataError for a bad line.

    The ranks in the file are not read, for the field's tools order by score.
    """
    table = _columns(path, ("query_id", "Q0", "doc_id", "rank", "score", "tag"))
    return _numbered(table, "score", pl.Float64, path)


_READERS: Final = {QRELS: read_qrels, RUN: read_run}


def rank_measures(run: Path, qrels: Path, measures: Sequence[str] = MEASURES) -> Ranked:
    """Return what ir-measures (MacAvaney et al. 2022) says of a run, over the queries with several candidates.

    `measures` are written as there: nDCG@10, RR, AP, P@5, Recall@100. Raises DataError when the two files share no
    query or no query has several candidates, and RecipeError for a measure that is not known or cannot be computed.
    """
    ir = _ir_measures()
    asked = [_measure(ir, name) for name in measures]
    results, judged = read_run(run), read_qrels(qrels)
    own, both = (table["query_id"].unique() for table in (results, judged))
    if not own.is_in(both.implode()).any():
        raise DataError(f"{run} and {qrels} have no query in common; give the judgements of the run's own queries")
    listed = results.filter(pl.col("query_id").is_in(both.implode()))
    sizes = pl.concat([table.group_by("query_id").len() for table in (listed, judged)])
    several = sizes.group_by("query_id").agg(pl.max("len")).filter(pl.col("len") >= _SEVERAL)["query_id"]
    if several.is_empty():
        raise DataError(f"no query of {run} has several candidates, so there is nothing to rank; use `evaluate`")
    results, judged = (table.filter(pl.col("query_id").is_in(several.implode())) for table in (listed, judged))
    try:
        values = ir.calc_aggregate(
            asked, starmap(ir.Qrel, judged.iter_rows()), starmap(ir.ScoredDoc, results.iter_rows())
        )
    except _UNCOMPUTED as reason:
        said = " ".join(str(reason).split())
        raise RecipeError(f"ir-measures cannot compute {', '.join(measures)}: {said}; leave it out") from reason
    return Ranked(
        pl.DataFrame({"measure": list(map(str, asked)), "value": [float(values[measure]) for measure in asked]}),
        queries=len(several),
        absent=len(several) - results["query_id"].n_unique(),
        single=len(both) - len(several),
        unjudged=len(own) - listed["query_id"].n_unique(),
    )


def _with_ids(pairs: Pairs) -> pl.DataFrame:
    """Return the rows with `query_id` and `doc_id`, those of the file where it has them."""
    frame = pairs.frame.with_columns(pl.col("task").cast(pl.String), pl.col("language").fill_null("und"))
    asked = frame.select(pl.format("{}\t{}", "language", "query")).to_series()
    ids = {
        "query_id": pl.format("{}-{}-{}", frame["task"], frame["language"], _digest(asked)),
        "doc_id": pl.format("{}-{}", frame["task"], _digest(frame["target"])),
    }
    own = {"query_id": ["query_id"], "doc_id": ["doc_id", "product_id"]}
    for name, columns in own.items():
        here = [pl.col(OWN + column).cast(pl.String) for column in columns if OWN + column in frame.columns]
        ids[name] = pl.coalesce(*here, ids[name])
    rows = frame.with_columns(**ids)
    for name in ids:
        if (odd := rows[name].filter(rows[name].str.contains(r"\s|^$"))).len():
            raise DataError(f"the {name} {odd[0]!r} has a space or is empty, which TREC files cannot hold; rename it")
    return rows


def _digest(texts: pl.Series) -> pl.Series:
    """Return 53 bits of each text in decimal figures, the same on every machine."""
    return pl.Series((unit_hash(texts) * 2.0**53).astype(np.int64)).cast(pl.String)


def _tables(candidates: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the lines of each file, without those for which there is nothing to say."""
    judged = candidates.drop_nulls("label").sort("query_id", "doc_id")
    rank = pl.int_range(1, pl.len() + 1).over("query_id")
    ranked = candidates.drop_nulls("score").sort("query_id", "score", "doc_id", descending=[False, True, False])
    zero, tag = pl.lit("0").alias("iteration"), pl.lit("shopglot").alias("tag")
    tables = {
        QRELS: judged.select("query_id", zero, "doc_id", "label"),
        RUN: ranked.select("query_id", pl.lit("Q0"), "doc_id", rank.alias("rank"), "score", tag),
        QUERIES: candidates.select("query_id", "query").unique("query_id").sort("query_id"),
        DOCUMENTS: candidates.select("doc_id", "target").unique("doc_id").sort("doc_id"),
    }
    return {name: table for name, table in tables.items() if table.height}


def _columns(path: Path, names: Sequence[str]) -> pl.DataFrame:
    """Return the fields of each line, which stand between spaces or tabs, and its number."""
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    lines = text_lines(as_utf8(read_bytes(path))).with_columns(fields=pl.col("text").str.extract_all(r"\S+"))
    if (odd := lines.filter(pl.col("fields").list.len() != len(names))).height:
        raise DataError(f"{path} line {odd['line'][0]} has not the fields {' '.join(names)}; write them between spaces")
    return lines.select("line", *(pl.col("fields").list.get(place).alias(name) for place, name in enumerate(names)))


def _numbered(table: pl.DataFrame, name: str, kind: type[pl.DataType], path: Path) -> pl.DataFrame:
    number = table[name].cast(kind, strict=False)
    if (odd := table.filter(~number.is_finite().fill_null(value=False))).height:
        wanted = "a finite number" if kind == pl.Float64 else "a grade below 32768"
        raise DataError(f"{path} line {odd['line'][0]} has the {name} {odd[name][0]!r}; write {wanted}")
    if (again := table.filter(~table.select(pl.struct("query_id", "doc_id").is_first_distinct()).to_series())).height:
        line, query, document = again.select("line", "query_id", "doc_id").row(0)
        raise DataError(f"{path} line {line} names document {document} of query {query} again; name each once")
    return table.select("query_id", "doc_id", number)


def _texts_of(ids: pl.Series, path: Path) -> pl.Series:
    """Return the text of each id, in a file that has an id, a tab and a text a line."""
    if not path.is_file():
        raise DataError(f"there is no file {path}; write an id, a tab and a text a line")
    lines = text_lines(as_utf8(read_bytes(path)))
    known = lines.select(pl.col("text").str.splitn("\t", 2).struct.rename_fields(["id", "shown"])).unnest("text")
    found = ids.to_frame("id").join(known.unique("id"), on="id", how="left", maintain_order="left")
    if (absent := found.filter(pl.col("shown").is_null())).height:
        raise DataError(f"{path} has no text for {absent['id'][0]!r}; write an id, a tab and a text a line")
    return found["shown"]


def _ir_measures() -> Any:
    try:
        import ir_measures
    except ImportError as missing:
        raise RecipeError("ranking measures need ir-measures: pip install 'shopglot[train]'") from missing
    return ir_measures


def _measure(ir: Any, name: str) -> Any:
    try:
        measure = ir.parse_measure(name)
        text = str(measure)
    except _UNPARSED as reason:
        raise RecipeError(f"no measure {name!r}; write it as ir-measures does, such as {MEASURES[0]}") from reason
    if re.search(r"@(0|-\d+|\d{10,})$", text):  # trec_eval would end the whole program, or overflow
        raise RecipeError(f"the measure {name!r} looks at no rank; write a depth from 1 to 999999999")
    return measure
