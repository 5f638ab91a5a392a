"""What stands in a form before anybody wrote into it, so that a first look shows something."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from shopglot.core.pair import Task
from shopglot.serve.http.service import Service
from shopglot.serve.http.suggest import Suggester


@dataclass(frozen=True, slots=True)
class Example:
    """A query in some language, and what it means."""

    query: str
    language: str
    english: str


EXAMPLES: Final = (
    Example("zapatillas de correr", "es", "shoes"),
    Example("hundebett", "de", "dog beds"),
    Example("سماعات لاسلكية", "ar", "headphones"),
    Example("ワイヤレスイヤホン", "ja", "headphones"),
    Example("กระเป๋าเดินทาง", "th", "suitcases"),
)
ITEMS: Final = (
    "Orthopedic Dog Bed, Large, Grey",
    "Washable Pet Cushion for Small Dogs",
    "Cat Tree with Scratching Post, 140 cm",
    "Wireless Earbuds with Noise Cancelling",
    "Wired In-Ear Headphones, 3.5 mm",
    "Carry-On Suitcase with Spinner Wheels",
    "Women's Running Shoes, Breathable Mesh",
    "Stainless Steel Water Bottle, 750 ml",
)
PATHS: Final = (
    "pet supplies,dogs,beds",
    "pet supplies,cats,beds",
    "furniture,beds & accessories,beds & bed frames",
    "consumer electronics,audio,headphones",
    "consumer electronics,audio,speakers",
    "luggage & bags,suitcases",
    "apparel & accessories,shoes,athletic shoes",
    "home & garden,kitchen & dining,water bottles",
)
_NEAR: Final = 2
"""Categories of the server's own tree for each of the meanings."""


def sample(service: Service, task: Task) -> tuple[str, ...]:
    """Return targets of a task, some of which the examples mean: categories of the server's own tree if it has one."""
    if task == "QI":
        return ITEMS
    return PATHS if service.suggester is None else _own_paths(service.suggester)


@lru_cache(maxsize=4)
def _own_paths(suggester: Suggester) -> tuple[str, ...]:
    """Return the categories that share most letters with what the examples mean; the model is not asked."""
    found = []
    for meaning in dict.fromkeys(each.english for each in EXAMPLES):
        similar = suggester.letters.similar(meaning)
        found += [suggester.paths[place] for place in np.argsort(-similar, kind="stable")[:_NEAR]]
    return tuple(dict.fromkeys(found))
