"""Category paths and the tree they form."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Self

import polars as pl

from shopglot.core.errors import DataError

MAX_DEPTH: Final = 16
LEVEL_COMMA: Final = re.compile(r",(?! )")


@dataclass(frozen=True, slots=True, order=True)
class CategoryPath:
    """The names from the top level to the leaf.

    In text, a comma without a following space separates levels; a comma inside a name is followed by one.

    >>> path = CategoryPath.parse("food,grocery,flour, baking and cooking")
    >>> path.levels
    ('food', 'grocery', 'flour, baking and cooking')
    >>> str(path.parent)
    'food,grocery'
    """

    levels: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse levels that could not be read back from the path's text."""
        if not 1 <= len(self.levels) <= MAX_DEPTH:
            raise DataError(f"a category path has 1 to {MAX_DEPTH} levels, this one has {len(self.levels)}")
        for name in self.levels:
            if not name or name != name.strip() or name.endswith(",") or LEVEL_COMMA.search(name):
                raise DataError(
                    f"the level {name!r} cannot stand in a category path: name it without outer spaces or ',x'"
                )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the path written in `text`; raises DataError when a level is empty or there are too many."""
        return cls(tuple(LEVEL_COMMA.split(text.strip())))

    def __str__(self) -> str:
        """Return the path as the competition's files write it."""
        return ",".join(self.levels)

    @property
    def leaf(self) -> str:
        """The name of the last level."""
        return self.levels[-1]

    @property
    def parent(self) -> "CategoryPath | None":
        """The path one level up, or None at the top."""
        return self.prefix(len(self.levels) - 1) if len(self.levels) > 1 else None

    def prefix(self, depth: int) -> "CategoryPath":
        """Return the first `depth` levels, or the whole path when it is shorter."""
        return CategoryPath(self.levels[:depth])

    def ancestors(self) -> Iterator["CategoryPath"]:
        """Yield the parent, its parent, and so on to the top."""
        for depth in range(len(self.levels) - 1, 0, -1):
            yield self.prefix(depth)

    def is_within(self, other: "CategoryPath") -> bool:
        """Return whether `other` is this path or one of its ancestors."""
        return self.levels[: len(other.levels)] == other.levels


def levels(path: pl.Expr) -> pl.Expr:
    """Return the lists of level names of a column of paths, as `CategoryPath.parse` splits them, without a loop."""
    inner_comma = "\N{NULL}"
    split = path.str.strip_chars().str.replace_all(", ", inner_comma, literal=True).str.split(",")
    return split.list.eval(pl.element().str.replace_all(inner_comma, ", ", literal=True))


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """A tree of category paths; every ancestor of a path is in it.

    >>> taxonomy = Taxonomy.of(["food,tea,green tea", "food,tea,black tea"])
    >>> [str(path) for path in taxonomy.children(CategoryPath.parse("food,tea"))]
    ['food,tea,black tea', 'food,tea,green tea']
    """

    paths: frozenset[CategoryPath]
    _children: dict[CategoryPath | None, tuple[CategoryPath, ...]] = field(repr=False, compare=False)

    @classmethod
    def of(cls, paths: Iterable[str | CategoryPath]) -> Self:
        """Return the tree of `paths` and all their ancestors."""
        nodes: set[CategoryPath] = set()
        for path in paths:
            node = path if isinstance(path, CategoryPath) else CategoryPath.parse(path)
            nodes.add(node)
            nodes.update(node.ancestors())
        children: dict[CategoryPath | None, list[CategoryPath]] = {}
        for node in sorted(nodes):
            children.setdefault(node.parent, []).append(node)
        return cls(frozenset(nodes), {parent: tuple(kids) for parent, kids in children.items()})

    def __contains__(self, path: CategoryPath) -> bool:
        """Return whether the tree has this node."""
        return path in self.paths

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.paths)

    def children(self, path: CategoryPath | None) -> tuple[CategoryPath, ...]:
        """Return the nodes right below `path` in order; the top levels for None."""
        return self._children.get(path, ())

    def siblings(self, path: CategoryPath) -> tuple[CategoryPath, ...]:
        """Return the other nodes under the same parent."""
        return tuple(node for node in self.children(path.parent) if node != path)
