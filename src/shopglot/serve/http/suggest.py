"""Which categories of a tree a query may mean: found by vectors and by letters, for the model to judge."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from shopglot.core.category import CategoryPath, Taxonomy
from shopglot.core.log_odds import logit
from shopglot.core.scores import Encoder
from shopglot.serve.http.letters import LetterIndex
from shopglot.serve.http.question import Verdict

Floats = NDArray[np.float32]

_ANCESTORS: Final = 0.25
"""How much the mean log odds of the categories above count beside those of a category itself."""


@dataclass(frozen=True, eq=False, slots=True)
class Suggester:
    """A category tree with what finds its nodes. Whatever it answers is a node of the tree.

    `vectors` are those of each node's name, its parent's name and its path; None where there is no encoder.
    """

    paths: tuple[str, ...]
    letters: LetterIndex
    vectors: tuple[Floats, ...] | None
    encoder: Encoder | None

    @classmethod
    def of(cls, paths: Iterable[str], encoder: Encoder | None) -> Self:
        """Return the index of `paths`, which are clean, and of all categories above them."""
        nodes = sorted(Taxonomy.of(paths).paths)
        letters = LetterIndex.of([node.leaf for node in nodes], [_written(node) for node in nodes])
        vectors = None if encoder is None else _vectors(nodes, encoder)
        return cls(tuple(map(str, nodes)), letters, vectors, encoder)

    def candidates(self, texts: Sequence[str], count: int) -> list[str]:
        """Return up to `count` paths that may be meant by any of `texts`: a query, and its English where there is any.

        The rankings take turns, so that what one of them finds alone is not outvoted; the model judges them anyway.
        """
        rankings = [self.letters.similar(text) for text in texts]
        if self.encoder is not None and self.vectors is not None:
            names, parents, paths = self.vectors
            for query in self.encoder.encode(list(texts)):
                rankings += [names @ query, paths @ query, names @ query + parents @ query]
        firsts = [np.argsort(-ranking, kind="stable")[:count] for ranking in rankings]
        lists = [found[ranking[found] > 0].tolist() for ranking, found in zip(rankings, firsts, strict=True)]
        turns = (place for turn in zip_longest(*lists) for place in turn if place is not None)
        return [self.paths[place] for place in islice(dict.fromkeys(turns), count)]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A category with its verdict, and how well it and those above it fit together, on the scale of log odds."""

    path: str
    verdict: Verdict
    fit: float


def with_ancestors(paths: Iterable[str]) -> list[str]:
    """Return the paths and all above them, each once."""
    parsed = [CategoryPath.parse(path) for path in paths]
    return list(dict.fromkeys(str(node) for path in parsed for node in (path, *path.ancestors())))


def consistent(candidates: Iterable[str], verdicts: dict[str, Verdict]) -> list[Suggestion]:
    """Return the candidates, best first, judged beside the categories above them; `verdicts` has all of these.

    A leaf whose branch the model finds absurd falls behind one whose branch it believes.
    """
    suggestions = [Suggestion(path, verdicts[path], _fit(CategoryPath.parse(path), verdicts)) for path in candidates]
    return sorted(suggestions, key=lambda each: -each.fit)


def _fit(path: CategoryPath, verdicts: dict[str, Verdict]) -> float:
    own, *above = (verdicts[str(node)].probability for node in (path, *path.ancestors()))
    odds = float(logit(np.array(own)))
    return odds + _ANCESTORS * float(logit(np.array(above)).mean()) if above else odds * (1 + _ANCESTORS)


def _vectors(nodes: Sequence[CategoryPath], encoder: Encoder) -> tuple[Floats, ...]:
    """Return the unit vectors of names, parents' names and paths, each of shape (nodes, dimensions)."""
    columns = (
        [node.leaf for node in nodes],
        [(node.parent or node).leaf for node in nodes],
        [_written(node) for node in nodes],
    )
    distinct = list(dict.fromkeys(text for column in columns for text in column))
    vectors = encoder.encode(distinct)
    row = {text: place for place, text in enumerate(distinct)}
    return tuple(vectors[[row[text] for text in column]] for column in columns)


def _written(node: CategoryPath) -> str:
    return ", ".join(reversed(node.levels))
