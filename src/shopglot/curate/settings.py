"""What a person may choose about reading and cleaning."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ESCI_LABELS: tuple[str, ...] = ("Exact", "Substitute", "Complement", "Irrelevant")
WANDS_LABELS: tuple[str, ...] = ("Exact", "Partial", "Irrelevant")


class CurateSettings(BaseModel):
    """How raw files become clean pairs."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    languages: tuple[str, ...] | None = Field(
        default=None,
        description="The ISO 639-1 codes that language correction may answer; None means those that the files name.",
    )
    correct_language: bool = Field(
        default=True, description="Whether a query in another language than its file says is given its own."
    )
    language_odds: float = Field(
        default=10.0,
        ge=1.0,
        description="How many times likelier than the file's language another one must be to replace it.",
    )
    one_word_odds: float = Field(
        default=50.0, ge=1.0, description="The same odds for queries of a single word, which tell less."
    )
    lower_case: bool = Field(default=True, description="Whether texts are put in lower case.")
    duplicates: Literal["drop", "keep"] = Field(
        default="drop", description="What becomes of rows with the same task, query, target and label."
    )
    near_duplicates: Literal["drop", "keep"] = Field(
        default="keep",
        description="What becomes of rows that differ only in spaces, punctuation and accents.",
    )
    contradictions: Literal["keep", "drop", "majority"] = Field(
        default="keep", description="What becomes of rows with the same task, query and target but different labels."
    )
    esci_relevant: tuple[Literal["Exact", "Substitute", "Complement", "Irrelevant"], ...] = Field(
        default=("Exact", "Substitute"), description="The judgements of an ESCI file that count as relevant."
    )
    wands_relevant: tuple[Literal["Exact", "Partial", "Irrelevant"], ...] = Field(
        default=("Exact", "Partial"), description="The judgements of a WANDS folder that count as relevant."
    )
