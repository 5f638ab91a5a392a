"""What a server tells of the model behind it, be it the bundle of one model or a cascade of several."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from shopglot.core.errors import BundleError
from shopglot.core.files import sha256
from shopglot.core.pair import Task
from shopglot.core.scores import Encoder
from shopglot.learn.embedding import EmbeddingScorer
from shopglot.merge.blend import Blend, Mean
from shopglot.merge.decide import Decider, Decision
from shopglot.pack.bundle import Bundle
from shopglot.serve.cascade.cascade import Cascade
from shopglot.serve.cascade.routing import MANIFEST


def tasks_of(decider: Decider) -> tuple[Task, ...]:
    """Return the tasks that a bundle or a cascade decides."""
    match decider:
        case Cascade():
            return decider.tasks
        case Bundle():
            return tuple(decider.decision.tasks)
    raise BundleError(f"a {type(decider).__name__} cannot be served; name a bundle or a routing file")


def decision_of(decider: Decider) -> Decision | None:
    """Return how a bundle decides; None for a cascade, each of whose stages decides by itself."""
    return decider.decision if isinstance(decider, Bundle) else None


def facts_of(path: Path, decider: Decider) -> dict[str, Any]:
    """Return what is told of the bundle in a folder, or of the cascade of a routing file and each of its stages."""
    match decider:
        case Cascade():
            stages = {each.name: each.decider.facts for each in decider.stages if isinstance(each.decider, Bundle)}
            return {"name": " > ".join(each.name for each in decider.stages), "sha256": sha256(path), "stages": stages}
        case Bundle():
            return {**decider.facts, "sha256": sha256(path / MANIFEST)}
    return {}


def vectors_of(model: object) -> Iterator[EmbeddingScorer]:
    """Yield the scorers inside a decider or a scorer that compare sentence vectors."""
    match model:
        case EmbeddingScorer():
            yield model
        case Cascade():
            yield from _inside(each.decider for each in model.stages)
        case Bundle():
            yield from vectors_of(model.scorer)
        case Blend():
            yield from _inside(model.scorers.values())
        case Mean():
            yield from _inside(model.scorers)


def encoder_of(model: object) -> Encoder | None:
    """Return the first encoder of sentence vectors inside a decider or a scorer, None where it has none."""
    return next((each.encoder for each in vectors_of(model)), None)


def _inside(models: Iterable[object]) -> Iterator[EmbeddingScorer]:
    for each in models:
        yield from vectors_of(each)
