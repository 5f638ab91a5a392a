"""What files of pairs hold, as one tree that `explore.json` holds and `explore.html` shows.

A row of figures whose `language` or `label` is null counts all of them.
"""

from typing import Literal

from pydantic import BaseModel

from shopglot.core.pair import Task
from shopglot.report.explore_origin import Origin

Text = Literal["query", "path", "title", "translation", "pair"]
"""The texts of a pair; "pair" is query and target together."""
Side = Literal["files", "against"]
"""The files that are explored, and those they are held against."""


class LanguageCount(BaseModel, frozen=True):
    """Pairs under a language as the files name it, and after its correction."""

    language: str
    named: int
    corrected: int


class Correction(BaseModel, frozen=True):
    """Pairs whose query is written in another language than the files say; at most 20 examples."""

    named: str
    corrected: str
    pairs: int
    queries: int
    examples: tuple[str, ...]


class LabelCount(BaseModel, frozen=True):
    """Pairs by their label."""

    language: str | None
    irrelevant: int
    relevant: int
    unlabelled: int
    relevant_share: float | None


class Length(BaseModel, frozen=True):
    """How long a text is over the pairs that have it."""

    text: Text
    unit: Literal["characters", "words", "tokens"]
    language: str | None
    label: int | None
    pairs: int
    mean: float
    minimum: float
    p25: float
    median: float
    p75: float
    p95: float
    p99: float
    maximum: float


class Bin(BaseModel, frozen=True):
    """Pairs whose text has from `start` to `end` characters, both included; the last bin has no end."""

    text: Text
    start: int
    end: int | None
    pairs: int


class Word(BaseModel, frozen=True):
    """Pairs whose text has a word; null words of a `language` are those of all."""

    text: Text
    language: str | None
    word: str
    pairs: int
    relevant_share: float | None


class Overlap(BaseModel, frozen=True):
    """The Jaccard index of the distinct words of a text and the target; `any_share` is the share of pairs above 0."""

    text: Text
    language: str | None
    label: int | None
    pairs: int
    mean: float
    median: float
    any_share: float


class Repetition(BaseModel, frozen=True):
    """Queries that stand in `fewest` to `most` pairs, and these pairs."""

    fewest: int
    most: int | None
    queries: int
    queries_share: float
    pairs: int
    pairs_share: float


class QueryCount(BaseModel, frozen=True):
    """The pairs of one query."""

    query: str
    pairs: int
    relevant_share: float | None


class Queries(BaseModel, frozen=True):
    """Queries and their pairs; `both_labels` counts queries with relevant and irrelevant targets."""

    distinct: int
    both_labels: int
    repetitions: tuple[Repetition, ...]
    most: tuple[QueryCount, ...]


class Depth(BaseModel, frozen=True):
    """Category paths of one depth, and their pairs."""

    depth: int
    paths: int
    paths_share: float
    pairs: int
    pairs_share: float
    relevant_share: float | None


class Level(BaseModel, frozen=True):
    """Nodes of one level, and how many children those have that have any."""

    level: int
    nodes: int
    parents: int
    mean_children: float | None
    most_children: int


class Branch(BaseModel, frozen=True):
    """Category paths under one top level, and their pairs."""

    name: str
    paths: int
    pairs: int
    relevant_share: float | None


class Tree(BaseModel, frozen=True):
    """The part of a taxonomy that the pairs show."""

    depths: tuple[Depth, ...]
    levels: tuple[Level, ...]
    branches: tuple[Branch, ...]


class Contradiction(BaseModel, frozen=True):
    """A query and target whose pairs are of both labels."""

    query: str
    target: str
    relevant: int
    irrelevant: int


class Duplicates(BaseModel, frozen=True):
    """Pairs beyond the first of their kind, pairs in contradictions, and at most 20 contradictions."""

    duplicates: int
    near_duplicates: int
    contradictions: int
    contradictory_pairs: int
    examples: tuple[Contradiction, ...]


class Fertility(BaseModel, frozen=True):
    """What a tokenizer makes of the distinct texts of a language; tokens per word is called fertility."""

    text: Text
    language: str | None
    texts: int
    tokens: int
    words: int
    characters: int
    tokens_per_word: float | None
    tokens_per_character: float


class Unseen(BaseModel, frozen=True):
    """Values in files that do not stand in the others, with at most 20 examples, the most frequent first."""

    what: str
    where: Side
    values: int
    unseen: int
    unseen_share: float
    pairs: int
    unseen_pairs: int
    unseen_pairs_share: float
    examples: tuple[str, ...]


class TaskExploration(BaseModel, frozen=True):
    """The figures of one task; `against` is null where there are no other files with pairs of this task."""

    pairs: int
    targets: int
    languages: tuple[LanguageCount, ...]
    corrections: tuple[Correction, ...]
    labels: tuple[LabelCount, ...]
    lengths: tuple[Length, ...]
    bins: tuple[Bin, ...]
    words: tuple[Word, ...]
    overlaps: tuple[Overlap, ...]
    queries: Queries
    tree: Tree | None
    duplicates: Duplicates
    fertility: tuple[Fertility, ...]
    against: tuple[Unseen, ...] | None

    @property
    def labelled(self) -> bool:
        """Whether any pair has a label."""
        return self.labels[0].relevant_share is not None


class Exploration(BaseModel, frozen=True):
    """The tree of `explore.json`; `shared_queries` is how many queries stand in pairs of both tasks."""

    origin: Origin
    shared_queries: int
    tasks: dict[Task, TaskExploration]
