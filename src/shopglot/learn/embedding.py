"""Sentence vectors and an interaction head: queries and targets are embedded apart, and compared by a small network."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl

from shopglot.core.category import levels
from shopglot.core.files import whole_file
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.fold.hashing import unit_hash
from shopglot.format.template import Template
from shopglot.learn.catalogue import Catalogue
from shopglot.learn.contrast import fine_tune
from shopglot.learn.encoders import (
    RememberingEncoder,
    SentenceEncoder,
    cut_encoder,
    frozen_encoder,
    save_trained,
    sentence_transformer,
    trained_encoder,
)
from shopglot.learn.head import Features, Head, fit_networks, require_heads, weighted_classes
from shopglot.learn.interaction import item_features, path_features
from shopglot.learn.paths import RememberedPaths
from shopglot.learn.settings import EmbeddingSettings
from shopglot.learn.store import read_scorer, write_scorer

ROWS_AT_ONCE: Final = 50_000


@dataclass(frozen=True, eq=False, slots=True)
class EmbeddingLearner:
    """Fits a head over cosines, shared letters and the target's standing in the catalogue of categories.

    `taxonomy` are paths known beside those of the training pairs, such as the shop's whole tree in one language.
    """

    settings: EmbeddingSettings
    template: Template
    taxonomy: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name its scores are kept under."""
        return self.settings.name

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks it scores."""
        return self.settings.tasks

    def fit(self, train: Pairs, work: Path) -> "EmbeddingScorer":
        """Return the scorer with one head per task; a killed fine-tuning goes on from its checkpoints in `work`."""
        return self.fit_to(train, train.labels.astype(np.float64), work)

    def fit_to(self, train: Pairs, wanted: Scores, work: Path) -> "EmbeddingScorer":
        """Return the scorer whose heads say of each pair what is `wanted`, P(relevant) of shape (pairs,).

        The encoder is tuned, where it is, on the labels; a pair without one counts as what is wanted of it.
        """
        encoder = self._encoder(_decided(train, wanted), work)
        given = train.of_task("QC").filter(pl.col("made_from").is_null())  # a made path may be no category
        paths = tuple(sorted({*self.taxonomy, *given["target"].unique().to_list()}))
        scorer = EmbeddingScorer({}, self.settings, self.template, encoder, Catalogue.of(paths, encoder), paths)
        heads = {}
        for task in train.tasks:
            rows = (train["task"] == task).to_numpy()
            heads[task] = self._fit_head(scorer, train.filter(rows), wanted[rows])
        return scorer.with_heads(heads)

    def _encoder(self, train: Pairs, work: Path) -> RememberingEncoder:
        settings = self.settings
        if settings.contrast is None:
            return _published(settings)
        encoder = SentenceEncoder(sentence_transformer(settings.model, settings.layers), settings.prefix)
        fine_tune(encoder.model, train, self.template, settings.prefix, settings.contrast, work)
        return RememberingEncoder(encoder)

    def _fit_head(self, scorer: "EmbeddingScorer", pairs: Pairs, wanted: Scores) -> Head:
        features, weights = scorer.features(pairs), pairs["weight"].to_numpy()
        if pairs.tasks == ("QC",):
            features = np.concatenate([features, self._with_hidden_branches(scorer, pairs)])
            wanted, weights = np.tile(wanted, 2), np.tile(weights, 2)
        how = self.settings
        return fit_networks(
            *weighted_classes(features, wanted, weights), hidden=how.hidden, networks=how.networks, seed=how.seed
        )

    def _with_hidden_branches(self, scorer: "EmbeddingScorer", pairs: Pairs) -> Features:
        """Return the features again as if the catalogue lacked the branch of each target.

        A new branch has no siblings in the catalogue, which looks like an only child; the head learns both states.
        """
        branch = _branches(pairs["target"], self.settings.branch_levels)
        part = (unit_hash(branch, self.settings.seed) * self.settings.hidden_parts).astype(np.int64)
        known = _branches(pl.Series(scorer.paths), self.settings.branch_levels)
        features: Features | None = None
        for number in range(self.settings.hidden_parts):
            rows = part == number
            if not rows.any():
                continue
            hidden = branch.filter(rows).unique()
            kept = tuple(pl.Series(scorer.paths).filter(~known.is_in(hidden.implode())).to_list())
            seen = scorer.with_catalogue(kept).features(pairs.filter(rows))
            features = np.empty((len(pairs), seen.shape[1]), np.float32) if features is None else features
            features[rows] = seen
        return np.empty((0, 0), np.float32) if features is None else features


@dataclass(frozen=True, eq=False, slots=True)
class EmbeddingScorer:
    """An encoder, the catalogue of categories, and one head per task."""

    heads: dict[Task, Head]
    settings: EmbeddingSettings
    template: Template
    encoder: RememberingEncoder
    catalogue: Catalogue
    paths: tuple[str, ...]
    known: RememberedPaths = field(init=False)

    def __post_init__(self) -> None:
        """Begin to remember paths, which stand in this catalogue in their own way."""
        object.__setattr__(self, "known", RememberedPaths(self.encoder, self.catalogue))

    def score(self, pairs: Pairs) -> Scores:
        """Return P(relevant) per row; raises DataError for a task it was not trained on."""
        require_heads(self.heads, pairs)
        scores = np.empty(len(pairs))
        for start in range(0, len(pairs), ROWS_AT_ONCE):
            part = Pairs(pairs.frame.slice(start, ROWS_AT_ONCE))
            for task in part.tasks:
                rows = np.asarray(part["task"] == task)
                scores[start : start + len(part)][rows] = self.heads[task](self.features(part.filter(rows)))
        return scores

    def features(self, pairs: Pairs) -> Features:
        """Return what the head of these pairs' one task reads, shape (rows, features)."""
        views = [
            path_features(pairs, template, self.encoder, self.catalogue, self.known)
            if pairs.tasks == ("QC",)
            else item_features(pairs, template, self.encoder, self.settings.windows)
            for template in (self.template.reading(query) for query in self.settings.queries)
        ]
        return np.column_stack(views)

    def with_heads(self, heads: dict[Task, Head]) -> "EmbeddingScorer":
        """Return the scorer with these heads."""
        return EmbeddingScorer(heads, self.settings, self.template, self.encoder, self.catalogue, self.paths)

    def with_catalogue(self, paths: tuple[str, ...]) -> "EmbeddingScorer":
        """Return the scorer that knows just these category paths."""
        catalogue = Catalogue.of(paths, self.encoder)
        return EmbeddingScorer(self.heads, self.settings, self.template, self.encoder, catalogue, paths)

    def save(self, folder: Path) -> None:
        """Write heads, catalogue, settings and what was trained of the encoder; its frozen weights are only named."""
        write_scorer(folder, kind="embedding", template=self.template, settings=self.settings.model_dump(mode="json"))
        with whole_file(folder / "catalogue.txt") as part:
            part.write_text("".join(path + "\n" for path in self.paths), encoding="utf-8")
        if isinstance(self.encoder.encoder, SentenceEncoder) and self.settings.contrast is not None:
            save_trained(self.encoder.encoder, folder / "encoder.safetensors")
        for task, head in self.heads.items():
            head.save(folder / f"{task}.safetensors")

    @classmethod
    def load(cls, folder: Path, encoder: RememberingEncoder | None = None) -> Self:
        """Return the scorer that `save` wrote, with `encoder` in place of the one that its settings name."""
        facts, template = read_scorer(folder)
        settings = EmbeddingSettings(**facts["settings"])
        encoder = encoder or _encoder_of(settings, folder)
        paths = tuple((folder / "catalogue.txt").read_text(encoding="utf-8").splitlines())
        files = {task: folder / f"{task}.safetensors" for task in TASKS}
        heads = {task: Head.load(path) for task, path in files.items() if path.exists()}
        return cls(heads, settings, template, encoder, Catalogue.of(paths, encoder), paths)


def as_one(scorers: Sequence[EmbeddingScorer]) -> EmbeddingScorer | None:
    """Return a scorer with the mean score of all, which computes their features once; None where these differ."""
    first = scorers[0]
    tasks = {frozenset((task, len(head.networks)) for task, head in each.heads.items()) for each in scorers}
    reading = {(id(each.encoder), each.settings.queries, each.settings.windows, each.template) for each in scorers}
    if len(tasks) > 1 or len(reading) > 1 or any(each.paths != first.paths for each in scorers):
        return None
    return first.with_heads({task: Head.mean_of([each.heads[task] for each in scorers]) for task in first.heads})


def _encoder_of(settings: EmbeddingSettings, folder: Path) -> RememberingEncoder:
    """Return the encoder of a saved scorer: as it is published, or as it was tuned."""
    if settings.contrast is None:
        return _published(settings)
    tuned = trained_encoder(settings.model, settings.prefix, folder / "encoder.safetensors", settings.layers)
    return RememberingEncoder(tuned)


def _published(settings: EmbeddingSettings) -> RememberingEncoder:
    """Return the encoder as it is published, with all layers or fewer."""
    if settings.layers is None:
        return frozen_encoder(settings.model, settings.prefix)
    return cut_encoder(settings.model, settings.prefix, settings.layers)


def _decided(pairs: Pairs, wanted: Scores) -> Pairs:
    """Return the pairs, those without a label with the one that is nearer to what is wanted."""
    nearer = pl.Series((wanted >= 0.5).astype(np.int8))  # noqa: PLR2004
    return Pairs(pairs.frame.with_columns(label=pl.coalesce("label", nearer)))


def _branches(paths: pl.Series, depth: int) -> pl.Series:
    return paths.to_frame("path").select(levels(pl.col("path")).list.head(depth).list.join(",")).to_series()
