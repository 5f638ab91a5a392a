"""The folder a model ships as: scorer, decision, how text is cleaned, and a manifest with checksums."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self, cast

import numpy as np

from shopglot.core.errors import BundleError, DataError
from shopglot.core.files import read_json, sha256, undamaged, whole_folder, write_json
from shopglot.core.pair import Pair, Task
from shopglot.core.pairs import OWN, Pairs
from shopglot.core.scores import SavableScorer, Scorer, Scores
from shopglot.curate.clean import clean
from shopglot.curate.settings import CurateSettings
from shopglot.format.settings import FormatSettings
from shopglot.format.template import texts_read
from shopglot.learn.embedding import EmbeddingScorer, as_one
from shopglot.merge.blend import Blend, Mean, load_scorer
from shopglot.merge.decide import Decided, Decision
from shopglot.pack.loaders import ENCODERS, loaders
from shopglot.pack.session_encoder import PACKED, SessionEncoder

FORMAT: Final = 2
"""2: packed networks and their shared encoders; 1 has none and is read as before."""
_MANIFEST: Final = "manifest.json"
_FORMAT: Final = "format.json"
_REQUIRED: Final = {"curate.json", "decision.json", "scorer/scorer.json"}
_REMEDY: Final = "copy the bundle again"


@dataclass(frozen=True, eq=False, slots=True)
class Bundle:
    """A scorer with its decision: raw pairs in, calibrated probabilities and decisions out.

    `format` says which texts each task's learners read together; it is empty in a bundle of an earlier version.
    """

    scorer: SavableScorer
    decision: Decision
    curate: CurateSettings
    facts: dict[str, Any]
    format: Mapping[Task, FormatSettings] = field(default_factory=dict)

    def score(self, pairs: Pairs | Iterable[Pair]) -> Decided:
        """Return probability, decision and threshold per pair, in their order; texts are cleaned as in training.

        A pair without a query or target gets the prior of its task.
        """
        if isinstance(pairs, Pair):
            raise DataError("a bundle scores several pairs at once; put the one into a list: score([pair])")
        table = pairs if isinstance(pairs, Pairs) else Pairs.of(pairs)
        return self.score_clean(clean(table, self.curate))

    def score_clean(self, pairs: Pairs) -> Decided:
        """Return the same for pairs that are clean already."""
        decided = self.decision.decide(pairs, self.scorer.score(pairs))
        return replace(decided, read=texts_read(pairs, {task: own.query for task, own in self.format.items()}))

    @property
    def columns_read(self) -> tuple[str, ...]:
        """The columns of `Pairs` that its answer may depend on beside task, query, English and target."""
        sliced = any(own.slices for own in self.decision.tasks.values())
        fields = {OWN + name for own in self.format.values() for name in own.item_fields}
        unknown = () if self.format else (f"^{OWN}.*$",)  # a bundle of an earlier version does not say
        return (*(("language",) if sliced else ()), *sorted(fields), *unknown)

    def knowing(self, paths: Iterable[str]) -> "Bundle":
        """Return the bundle for a shop that has these category paths too, such as those of a grown taxonomy."""
        return replace(self, scorer=_knowing(self.scorer, frozenset(paths)))

    def save(self, folder: Path, card: str | None = None) -> None:
        """Write the bundle into `folder`, whole or not at all, with `card` as its README; the manifest comes last."""
        with whole_folder(folder) as part:
            (part / "scorer").mkdir()
            self.scorer.save(part / "scorer")
            for name, encoder in _packed_encoders(self.scorer).items():
                (part / ENCODERS / name).mkdir(parents=True)
                encoder.save(part / ENCODERS / name)
            write_json(part / "decision.json", self.decision.model_dump(mode="json"))
            write_json(part / "curate.json", self.curate.model_dump(mode="json"))
            if card is not None:
                (part / "README.md").write_text(card, encoding="utf-8")
            write_json(part / _FORMAT, {task: own.model_dump(mode="json") for task, own in self.format.items()})
            files = {
                path.relative_to(part).as_posix(): sha256(path) for path in sorted(part.rglob("*")) if path.is_file()
            }
            write_json(part / _MANIFEST, {"format": FORMAT, **self.facts, "files": files})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the bundle in `folder`; raises BundleError when a file is missing, changed or of a newer format.

        It judges one pair of each task before it is returned, for weights can be whole files and yet not fit.
        """
        with undamaged(folder, _REMEDY):
            manifest = _manifest(folder)
            _check_files(folder, manifest["files"])
            formats = dict(read_json(folder / _FORMAT)) if _FORMAT in manifest["files"] else {}
            bundle = cls(
                load_scorer(folder / "scorer", loaders(folder)),
                Decision.model_validate(read_json(folder / "decision.json")),
                CurateSettings(**read_json(folder / "curate.json")),
                {name: value for name, value in manifest.items() if name not in {"format", "files"}},
                {task: FormatSettings(**own) for task, own in formats.items()},
            )
            probes = [Pair(task=task, query="tea", target="tea") for task in bundle.decision.tasks]
            with np.errstate(invalid="ignore"):
                probability = bundle.score(probes).probability
            if not np.isfinite(probability).all():
                raise ValueError("its weights give no probability")
        return bundle


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A bundle as a scorer of raw pairs: its score is the calibrated probability."""

    bundle: Bundle

    def score(self, pairs: Pairs) -> Scores:
        """Return P(relevant) per row; raises BundleError for a task that the bundle does not decide."""
        return self.bundle.score(pairs).probability


def load(folder: str | Path) -> Bundle:
    """Return the bundle in `folder`, given as text or path; raises BundleError like `Bundle.load`."""
    return Bundle.load(Path(folder))


def learned_from(folder: str | Path) -> frozenset[str]:
    """Return the SHA-256 of the files whose labels a bundle's model learned; of none where an earlier version wrote it.

    Raises BundleError where there is no bundle; its files are not read.
    """
    manifest = _manifest(Path(folder))
    return frozenset(manifest["data"][name] for name in manifest.get("learned", ()))


def _knowing(scorer: SavableScorer, paths: frozenset[str]) -> SavableScorer:
    match scorer:
        case Blend():
            named = {name: _knowing(cast("SavableScorer", each), paths) for name, each in scorer.scorers.items()}
            return Blend(named, scorer.weights)
        case Mean():
            members = [_knowing(cast("SavableScorer", each), paths) for each in scorer.scorers]
            vectors = [each for each in members if isinstance(each, EmbeddingScorer)]
            return (as_one(vectors) if len(vectors) == len(members) else None) or Mean(members)
        case EmbeddingScorer():
            return scorer.with_catalogue(tuple(sorted({*scorer.paths, *paths})))
        case _:
            return scorer


def _packed_encoders(scorer: Scorer) -> dict[str, SessionEncoder]:
    """Return the packed encoders of a scorer and its members, each once, by the name its members have for it."""
    match scorer:
        case Blend():
            members = list(scorer.scorers.values())
        case Mean():
            members = list(scorer.scorers)
        case EmbeddingScorer() if isinstance(encoder := scorer.encoder.encoder, SessionEncoder):
            return {scorer.settings.model.removeprefix(PACKED): encoder}
        case _:
            return {}
    return {name: encoder for member in members for name, encoder in _packed_encoders(member).items()}


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / _MANIFEST
    if not path.is_file():
        raise BundleError(
            f"{folder} is not a bundle: it has no {_MANIFEST}; name the `bundle` folder of a finished run"
        )
    with undamaged(path, _REMEDY):
        manifest: dict[str, Any] = read_json(path)
        written, files = int(manifest["format"]), dict(manifest["files"])
        if written < 1 or not files.keys() >= _REQUIRED:
            raise ValueError(f"format {written} with {len(files)} files")
    if written > FORMAT:
        raise BundleError(f"{folder} has bundle format {written}, this version reads up to {FORMAT}; upgrade shopglot")
    return manifest


def _check_files(folder: Path, files: Mapping[str, str]) -> None:
    for name, checksum in files.items():
        file = folder / name
        if not file.is_file():
            raise BundleError(f"{folder} lacks {name}, which its manifest lists; {_REMEDY}")
        if sha256(file) != checksum:
            raise BundleError(f"{file} has changed since the bundle was written; {_REMEDY}")
