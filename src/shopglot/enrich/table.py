"""A table of known translations, from CSV and Parquet files."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from shopglot.core.errors import DataError, RecipeError
from shopglot.core.files import sha256
from shopglot.curate.clean import clean_texts
from shopglot.enrich.translate_settings import TableSettings


class Table:
    """Translations that are known, found by the clean text in lower case; of the others it has none."""

    def __init__(self, known: pl.DataFrame, name: str) -> None:
        """Take the columns text, source (null: any language), target and translation."""
        self.name = name
        clean = known.with_columns(text=clean_texts(known["text"], lower_case=True))
        first = clean.unique(["text", "source", "target"], keep="first", maintain_order=True)
        # A batch is looked up in a dict, for a join would read the whole table for each of them.
        self._known: dict[tuple[str | None, str], dict[str, str]] = {
            (source, target): dict(zip(part["text"], part["translation"], strict=True))
            for (source, target), part in first.partition_by("source", "target", as_dict=True).items()
        }

    @classmethod
    def read(cls, settings: TableSettings, target: str) -> "Table":
        """Return the table in the files; raises DataError for one that cannot be read or lacks a column."""
        known = pl.concat([_read(path, settings) for path in settings.files])
        into = known.with_columns(pl.col("target").fill_null(target)) if settings.target is None else known
        return cls(into.drop_nulls(["text", "target", "translation"]), table_name(settings))

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Return the known translations; raises RecipeError for a target into which it has none."""
        if target not in (held := {target for _, target in self._known}):
            raise RecipeError(
                f"the table holds translations into {', '.join(sorted(held)) or 'nothing'}, not {target!r}"
            )
        own, any_language = self._known.get((source, target), {}), self._known.get((None, target), {})
        clean = clean_texts(pl.Series(texts, dtype=pl.String), lower_case=True)
        return [own.get(text, any_language.get(text)) for text in clean]


def table_name(settings: TableSettings) -> str:
    """Return the name of the files' table: another content has another name."""
    columns = f"{settings.text} {settings.source} {settings.target} {settings.translation}"
    content = columns + "".join(sha256(_present(path)) for path in settings.files)
    return f"table {hashlib.sha256(content.encode()).hexdigest()[:12]}"


def _present(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"there is no table of translations {path}; check `files`")
    return path


def _read(path: Path, settings: TableSettings) -> pl.DataFrame:
    """Return the columns text, source and translation as text, null where blank."""
    try:
        if _present(path).suffix == ".parquet":
            table = pl.read_parquet(path, glob=False)
        elif path.suffix == ".csv":
            table = pl.read_csv(path, infer_schema=False, glob=False)
        else:
            raise DataError(f"the name of {path} says no format; end it in .csv or .parquet")
    except pl.exceptions.PolarsError as reason:
        said = " ".join(str(reason).split())[:200]
        raise DataError(f"the table of translations {path} cannot be read ({said}); write it again") from reason
    columns = {
        "text": settings.text,
        "source": settings.source,
        "target": settings.target,
        "translation": settings.translation,
    }
    if missing := [name for name in columns.values() if name is not None and name not in table.columns]:
        raise DataError(f"{path} has no column {missing[0]!r}, but {', '.join(table.columns)}; name its columns")
    for name in filter(None, columns.values()):
        if table[name].dtype.is_nested() or table[name].dtype == pl.Binary:
            raise DataError(f"the column {name!r} of {path} holds no text, but {table[name].dtype}; write it as text")
    texts = {part: pl.lit(None) if name is None else pl.col(name) for part, name in columns.items()}
    blank_as_null = {part: text.cast(pl.String).str.strip_chars().replace("", None) for part, text in texts.items()}
    return table.select(**blank_as_null)
