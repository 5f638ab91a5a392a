"""A scorer in torch becomes the same scorer over packed networks."""

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from shopglot.core.batches import by_length
from shopglot.core.errors import RecipeError
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import SavableScorer
from shopglot.format.template import Template
from shopglot.learn.catalogue import Catalogue
from shopglot.learn.embedding import EmbeddingScorer
from shopglot.learn.encoder import EncoderScorer
from shopglot.learn.encoders import RememberingEncoder, SentenceEncoder
from shopglot.learn.llm_scorer import LLMScorer, without_adapters
from shopglot.learn.reading import text_pairs
from shopglot.learn.targets import output_names, output_of
from shopglot.merge.blend import Blend, Mean
from shopglot.pack.engines import PRECISIONS, Engine, Precision, Running, installed
from shopglot.pack.export import export_onnx
from shopglot.pack.network import MODEL, Network, Texts, write_facts
from shopglot.pack.quantize import quantize_dynamic, quantize_static
from shopglot.pack.session_encoder import PACKED, SessionEncoder
from shopglot.pack.session_scorer import SessionScorer
from shopglot.pack.settings import PackSettings
from shopglot.pack.source import Source
from shopglot.pack.tokens import Feed, Tokens

log = logging.getLogger(__name__)

_EXPORTED: Final = "exported.onnx"
_TIMED: Final = 256
"""Texts by which the engines are compared."""
_TIMES: Final = 3
"""How often they are timed; the best counts, for other programs only ever slow one down."""
_CALIBRATED_AT_ONCE: Final = 256
"""Tokens per batch while ranges are measured: few texts at once, so that the statistics see many batches."""


@dataclass(frozen=True, eq=False, slots=True)
class Packer:
    """Packs the networks of one scorer into numbered folders of `work`, trimmed for `pairs`."""

    pairs: Pairs
    settings: PackSettings
    work: Path
    _encoders: dict[int, tuple[str, RememberingEncoder]] = field(default_factory=dict)

    def packed(self, scorer: SavableScorer) -> SavableScorer:
        """Return the scorer over packed networks; what has no network, or one that only torch runs, stays as it is."""
        match scorer:
            case Blend():
                members = {name: self.packed(cast("SavableScorer", each)) for name, each in scorer.scorers.items()}
                return Blend(members, scorer.weights)
            case Mean():
                return Mean([self.packed(cast("SavableScorer", each)) for each in scorer.scorers])
            case EncoderScorer():
                source = Source.of_classifier(scorer.model, scorer.tokenizer, scorer.max_tokens)
                return self._cross_encoder(source, scorer.template, dict.fromkeys(TASKS, 0))
            case LLMScorer():
                return self._language_model(scorer)
            case EmbeddingScorer():
                return self._embedding(scorer)
            case _:
                return scorer

    def _cross_encoder(self, source: Source, template: Template, outputs: Mapping[Task, int]) -> SessionScorer:
        texts = text_pairs(self.pairs.of_tasks(outputs), template).unique(maintain_order=True)
        return SessionScorer(self.network(source, texts.rows()), template, outputs)

    def _language_model(self, scorer: LLMScorer) -> SavableScorer:
        """Return an encoder packed like a cross-encoder; what reads prompts stays in torch, its adapters merged."""
        reader, settings = scorer.reader, scorer.settings
        alone = without_adapters(LLMScorer(copy.deepcopy(scorer.model), reader))  # the original is compared with
        if settings.text == "prompt":
            log.warning("%s reads prompts, so torch runs it; packing only merges its adapters", settings.name)
            return alone
        source = Source.of_classifier(alone.model.float(), reader.tokenizer, settings.max_tokens)
        outputs = {task: output_of(output_names(settings), task) for task in settings.tasks}
        return self._cross_encoder(source, reader.template, outputs)

    def _embedding(self, scorer: EmbeddingScorer) -> EmbeddingScorer:
        encoder = scorer.encoder.encoder
        if id(encoder) not in self._encoders:
            prefix = encoder.prefix if isinstance(encoder, SentenceEncoder) else ""
            texts = [prefix + text for text in _texts_asked(scorer, self.pairs)]
            network = self.network(Source.of_encoder(encoder), texts)
            packed = RememberingEncoder(SessionEncoder.knowing(network, prefix, scorer.catalogue.names))
            self._encoders[id(encoder)] = network.folder.name, packed
        name, own = self._encoders[id(encoder)]
        settings = scorer.settings.model_copy(update={"model": PACKED + name, "contrast": None, "layers": None})
        catalogue = Catalogue.of(scorer.paths, own)
        return EmbeddingScorer(scorer.heads, settings, scorer.template, own, catalogue, scorer.paths)

    def network(self, source: Source, texts: Texts) -> Network:
        """Return the packed network of `source`, trimmed for distinct `texts`, some of which it is calibrated on."""
        settings, folder = self.settings, self.work / str(len(list(self.work.iterdir())))
        folder.mkdir()
        if settings.trim and source.can_be_trimmed:
            flat = chain.from_iterable((text,) if isinstance(text, str) else text for text in texts)
            tokens, module = source.trimmed(flat, spare=settings.spare)
        else:
            tokens, module = source.whole()
        sample = _drawn(texts, max(settings.calibration, _TIMED), settings.seed)
        export_onnx(module, tokens.inputs, folder / _EXPORTED)
        precision = settings.precision if source.quantizes else _unquantized(settings)
        _write_model(folder, precision, _feeds(tokens, sample[: settings.calibration]))
        seconds = {}
        for engine in _engines(settings, precision):
            write_facts(folder, tokens, Running(engine, precision))
            seconds[engine] = _seconds(Network.load(folder), sample[:_TIMED])
        fastest = min(seconds, key=lambda engine: seconds[engine])
        log.info("packed a network for %s, which is the fastest of %s here", fastest, ", ".join(seconds))
        write_facts(folder, tokens, Running(fastest, precision))
        return Network.load(folder)


def _unquantized(settings: PackSettings) -> Precision:
    """Return the precision of a network that is not worth having in int8."""
    if not settings.precision.startswith("int8"):
        return settings.precision
    able = [engine for engine in installed() if settings.engine in ("auto", engine)]
    return "bf16" if any("bf16" in PRECISIONS[engine] for engine in able) else "fp32"


def _engines(settings: PackSettings, precision: Precision) -> list[Engine]:
    """Return the engines to choose from; raises RecipeError where none of them has the precision."""
    able = [engine for engine in installed() if precision in PRECISIONS[engine]]
    wanted = [engine for engine in able if settings.engine in ("auto", engine)]
    if not wanted:
        raise RecipeError(
            f"{precision} is not to be had with {settings.engine}; the engines here that have it: "
            f"{', '.join(able) or 'none'}"
        )
    return wanted


def _write_model(folder: Path, precision: Precision, feeds: Sequence[Feed]) -> None:
    exported = folder / _EXPORTED
    match precision:
        case "int8":
            quantize_static(exported, folder / MODEL, feeds)
        case "int8-dynamic":
            quantize_dynamic(exported, folder / MODEL)
        case "bf16" | "fp32":  # which of them it is, is said to the engine
            exported.rename(folder / MODEL)
    exported.unlink(missing_ok=True)


def _drawn(texts: Texts, count: int, seed: int) -> Texts:
    rows = np.random.default_rng(seed).permutation(len(texts))[:count]
    return cast("Texts", [texts[row] for row in rows])


def _feeds(tokens: Tokens, texts: Texts) -> list[Feed]:
    encoded = tokens.encode(texts)
    batches = by_length(np.array([len(each.ids) for each in encoded]), budget=_CALIBRATED_AT_ONCE)
    return [tokens.feed([encoded[row] for row in rows]) for rows in batches]


def _seconds(network: Network, texts: Texts) -> float:
    """Return the least seconds that the network takes for `texts`, once it has run them before."""
    network(texts)
    seconds = []
    for _ in range(_TIMES):
        start = perf_counter()
        network(texts)
        seconds.append(perf_counter() - start)
    return min(seconds)


def _texts_asked(scorer: EmbeddingScorer, pairs: Pairs) -> list[str]:
    """Return every text whose vector the scorer asks for when it scores `pairs`."""
    asked = _Asked()
    encoder = RememberingEncoder(asked)
    listening = EmbeddingScorer(
        scorer.heads, scorer.settings, scorer.template, encoder, Catalogue.of(scorer.paths, encoder), scorer.paths
    )
    listening.score(pairs.filter(pairs["task"].is_in(list(scorer.heads)).to_numpy()))
    return list(asked.texts)


class _Asked:
    """An encoder that only listens; all its vectors are the same."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return equal unit vectors, shape (texts, 1)."""
        self.texts |= dict.fromkeys(texts)
        return np.ones((len(texts), 1), np.float32)
