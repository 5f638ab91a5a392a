"""How pairs are grouped and dealt."""

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shopglot.core.category import MAX_DEPTH

Mode = Literal["query", "category", "both", "language", "random"]
"""What no model may know of the fold it is judged on.

`query`: the query, its spellings and translations. `category`: the target's subtree, or the title in task QI, though
not the query. `both`: query and subtree. `language`: language and query, for languages that have no labels.
`random`: nothing but the row itself. `category` and `random` flatter; they are there to measure by how much.
"""


_MOST_HELD_OUT: Final = 0.5


class FoldSettings(BaseModel):
    """How pairs are grouped and dealt into folds, a tune and a test part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folds: int = Field(default=3, ge=2, description="Number of folds, each judged by a model trained on the others.")
    tune: float = Field(default=0.1, ge=0, lt=0.5, description="Share of the pairs that calibrate refitted models.")
    test: float = Field(default=0.1, ge=0, lt=0.5, description="Share of the pairs that only the final report reads.")
    qc: Mode = Field(default="both", description="What is kept apart in task QC.")
    qi: Mode = Field(default="query", description="What is kept apart in task QI.")
    category_levels: int = Field(
        default=2, ge=1, le=MAX_DEPTH, description="Category paths with the same first so many levels are one group."
    )
    near_duplicate_similarity: float = Field(
        default=0.9, gt=0, le=1, description="Jaccard similarity of character trigrams from which texts count as twins."
    )
    near_duplicate_limit: float = Field(
        default=0.01, ge=0, le=1, description="Share of judged pairs that may have a twin in training."
    )
    near_duplicate_texts: int = Field(
        default=5_000, ge=1, description="Number of distinct judged texts that the audit looks at."
    )

    @model_validator(mode="after")
    def _leave_enough_to_train(self) -> Self:
        held_out = self.tune + self.test
        if held_out > _MOST_HELD_OUT:
            raise ValueError(f"tune and test hold {held_out:.0%} of the pairs; leave the folds half or more")
        return self
