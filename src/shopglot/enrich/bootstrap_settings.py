"""What a person may choose about labels for a shop that has none."""

from pydantic import BaseModel, ConfigDict, Field

from shopglot.enrich.negative_settings import NegativeSettings


class BootstrapSettings(BaseModel):
    """How category names and items become weakly labelled pairs."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int = Field(default=0, ge=0, description="The same files and seed give the same bytes.")
    languages: tuple[str, ...] | None = Field(
        default=None, description="The languages whose names make queries; None: all that have a file."
    )
    target_language: str = Field(default="en", description="The language of the category paths that are judged.")
    dev: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="The share of categories, in whole two-level branches, that dev alone shows.",
    )
    dev_languages: tuple[str, ...] = Field(default=(), description="Languages that dev alone shows.")
    pairs: int | None = Field(default=None, ge=2, description="About how many pairs each file has at most; None: all.")
    children: float = Field(
        default=0.1, ge=0, le=1, description="How often a query with its own category is paired with a child of it too."
    )
    split_names: bool = Field(
        default=False, description="Whether the parts of a name such as `Axes & Hatchets` are queries too."
    )
    title: str = Field(default="title", description="The catalogue's column of titles.")
    category: str = Field(
        default="category", description="Its column of categories: a path, in any of the languages, or a node."
    )
    attributes: tuple[str, ...] = Field(
        default=(), description="Its columns whose values make queries such as `red dress`."
    )
    titles: int = Field(default=3, ge=1, description="Relevant titles per query, where the category has as many.")
    title_queries: int = Field(
        default=0, ge=0, description="Titles per category that are queries too, relevant to its path."
    )
    contradictions: int = Field(
        default=2, ge=0, description="Irrelevant titles with another value of the attribute, per query of that kind."
    )
    negatives: NegativeSettings = NegativeSettings()
