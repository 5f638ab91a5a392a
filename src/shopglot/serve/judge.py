"""Questions become verdicts: cleaned, given their language, and scored at once, in a worker thread."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from shopglot.core.category import levels
from shopglot.core.pairs import Pairs
from shopglot.curate.clean import clean
from shopglot.curate.language import correct_languages
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decider
from shopglot.serve.question import Question, Verdict


@dataclass(frozen=True)
class Judge:
    """Asks the model. `languages` are those that detection may answer."""

    decider: Decider
    languages: tuple[str, ...]

    def __call__(self, questions: Sequence[Question]) -> list[Verdict]:
        """Return a verdict per question, in order."""
        pairs = self.detected(clean(as_pairs(questions), self.decider.curate))
        decided = self.decider.score_clean(pairs)
        top = pl.when(pl.col("task") == "QC").then(levels(pl.col("target")).list.first())
        columns: tuple[Iterable[object], ...] = (
            decided.probability.tolist(),
            decided.threshold.tolist(),
            pairs["language"],
            [None] * len(pairs) if decided.read is None else decided.read,
            pairs.frame.select(top).to_series(),
            pairs["flag"],
        )
        return [Verdict(*row) for row in zip(*columns, strict=True)]

    def detected(self, pairs: Pairs) -> Pairs:
        """Return clean pairs with the language of those queries that have none; null where it cannot be told."""
        given = pairs["language"].is_not_null()
        if given.all():
            return pairs
        found = correct_languages(Pairs(pairs.frame.filter(~given)), self._detection)["language"]
        return Pairs(pairs.frame.with_columns(language=pairs["language"].scatter((~given).arg_true(), found)))

    @cached_property
    def _detection(self) -> CurateSettings:
        return CurateSettings(languages=self.languages)


def as_pairs(questions: Sequence[Question]) -> Pairs:
    """Return questions as a table of pairs, as their clients wrote them."""
    schema = dict.fromkeys(Question._fields, pl.String)
    return Pairs.from_frame(pl.DataFrame(questions, schema=schema, orient="row"))
