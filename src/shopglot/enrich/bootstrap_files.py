"""Weak labels as files: read what a shop has, write pairs in the competition's format."""

from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml
from pydantic import ValidationError

from shopglot.core.complaint import first_complaint
from shopglot.core.each_key_once import NOT_YAML, EachKeyOnce
from shopglot.core.errors import RecipeError
from shopglot.core.files import checksums, require_own_folder, whole_file, write_json
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import OWN, Pairs
from shopglot.core.scores import Encoder, Scorer
from shopglot.enrich.bootstrap import Bootstrapped, bootstrap
from shopglot.enrich.bootstrap_settings import BootstrapSettings
from shopglot.enrich.catalogue_file import read_items
from shopglot.enrich.localised_paths import find_localised, names_of_items, read_localised

_MARK: Final = "bootstrap.json"
_WEAK: Final = (
    "These labels are made from category names and items; nobody judged them. Figures on them say how well a model "
    "agrees with the catalogue, not with shoppers."
)


def load_settings(file: Path | None, **given: Any) -> BootstrapSettings:
    """Return the settings in a YAML file, if there is one, with those of `given` that are not None put in.

    Raises RecipeError that names the key and the nearest known one.
    """
    content = {}
    if file is not None:
        try:
            content = yaml.load(file.read_text(encoding="utf-8"), EachKeyOnce)
        except NOT_YAML as reason:
            raise RecipeError(f"{file} is not YAML: {' '.join(str(reason).split())}") from reason
    if not isinstance(content, dict):
        raise RecipeError(f"{file} holds no settings; write keys with values, such as `children: 0.2`")
    content |= {name: value for name, value in given.items() if value is not None}
    try:
        return BootstrapSettings.model_validate(content)
    except ValidationError as reason:
        raise RecipeError(f"{file or 'bootstrap'}: {first_complaint(reason, content, BootstrapSettings)}") from reason


def write_bootstrap(
    out: Path,
    settings: BootstrapSettings,
    *,
    taxonomy: Path | None = None,
    catalogue: Path | None = None,
    encoder: Encoder | None = None,
    scorer: Scorer | None = None,
) -> dict[Path, int]:
    """Write weakly labelled pairs into the folder `out` and return the files with their number of rows.

    `taxonomy` is a folder of localised paths (see `find_localised`), `catalogue` a file of items (see `read_items`);
    without a taxonomy the categories are those that the catalogue names, in the target language. `train_QC.txt`,
    `dev_QC.txt`, `train_QI.txt` and `dev_QI.txt` are JSON lines with the competition's fields, `concept`, `made_by` and
    `seen_branch`; `taxonomy.txt` has the paths of the tree; `bootstrap.json` the settings, the counts, the checksums of
    what was read, and that the labels are weak. Raises RecipeError where neither is given or `out` holds other files.
    """
    if taxonomy is None and catalogue is None:
        raise RecipeError("there is nothing to make labels from; name a folder of category paths, a catalogue, or both")
    require_own_folder(out, _MARK)
    files = find_localised(taxonomy) if taxonomy else {}
    items = read_items(catalogue, settings) if catalogue else None
    names = (
        read_localised(files) if items is None or files else names_of_items(items["category"], settings.target_language)
    )
    made = bootstrap(names, items, settings, encoder=encoder, scorer=scorer)
    read = [*files.values(), *([catalogue] if catalogue else [])]
    facts: dict[str, Any] = {"labels": _WEAK, "settings": settings.model_dump(), "read": checksums(read)}
    write_json(out / _MARK, facts | {"counts": dict(sorted(made.counts.items()))})
    with whole_file(out / "taxonomy.txt") as part:
        part.write_text("".join(f"{path}\n" for path in made.taxonomy), encoding="utf-8")
    return _write_pairs(made, out)


def _write_pairs(made: Bootstrapped, out: Path) -> dict[Path, int]:
    rows: dict[Path, int] = {}
    for task in TASKS:
        first = 1
        for split, pairs in (("train", made.train.of_task(task)), ("dev", made.dev.of_task(task))):
            file = out / f"{split}_{task}.txt"
            file.unlink(missing_ok=True)  # that of an earlier call says nothing of this one
            if len(pairs):
                with whole_file(file) as part:
                    _columns(pairs, task, first).write_ndjson(part)
                rows[file] = len(pairs)
                first += len(pairs)
    return rows


def _columns(pairs: Pairs, task: Task, first: int) -> pl.DataFrame:
    own = pl.col(f"^{OWN}.*$").name.map(lambda name: name.removeprefix(OWN))
    named = {"origin_query": "query", "category_path" if task == "QC" else "item_title": "target"}
    texts = [pl.col(column).alias(name) for name, column in named.items()]
    numbered = pairs.frame.drop("id").with_row_index("id", first)
    return numbered.select(pl.col("id", "task", "language"), *texts, pl.col("label", "concept", "made_by"), own)
