from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.pairs import Pairs
from shopglot.curate.clean import clean
from shopglot.curate.settings import CurateSettings
from shopglot.format.settings import FormatSettings, PathText, QueryText
from shopglot.format.template import Template

PATH = "garden,tents, tarps,party tents"


def pairs(*rows: dict[str, Any]) -> Pairs:
    plain = {"task": "QC", "query": "barnum", "english": None, "target": PATH}
    return Pairs.from_frame(pl.DataFrame([plain | row for row in rows], infer_schema_length=None))


def template(**settings: Any) -> Template:
    return Template(FormatSettings(**settings), cleaning=1)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("full", PATH),
        ("leaf-first", "party tents, tents, tarps, garden"),
        ("leaf-parent", "party tents, tents, tarps"),
        ("leaf", "party tents"),
        ("levels", "1: garden 2: tents, tarps 3: party tents"),
    ],
)
def test_a_path_is_written_as_the_settings_say(path: PathText, text: str) -> None:
    assert template(path=path).targets(pairs({})).item() == text


@pytest.mark.parametrize("path", get_args(PathText))
def test_a_path_of_one_level_is_its_name_in_every_form(path: PathText) -> None:
    name = "1: books" if path == "levels" else "books"
    assert template(path=path).targets(pairs({"target": "books"})).item() == name


@pytest.mark.parametrize("path", get_args(PathText))
def test_every_form_of_a_path_names_its_leaf(path: PathText) -> None:
    deep = [f"{'top, and more,' * depth}the leaf" for depth in range(16)]
    written = template(path=path).targets(pairs(*({"target": target} for target in deep)))
    assert written.str.contains("the leaf", literal=True).all()
    assert written.null_count() == 0


def test_a_separator_stands_between_the_query_and_its_translation() -> None:
    assert template(query="both").queries(pairs({"english": "tent"})).item() == "barnum - tent"
    assert template(query="english").queries(pairs({"english": "tent"})).item() == "tent"
    assert template(query="original").queries(pairs({"english": "tent"})).item() == "barnum"


@pytest.mark.parametrize("query", get_args(QueryText))
@pytest.mark.parametrize("english", [None, "", "barnum"])
def test_a_query_without_a_translation_of_its_own_is_written_once_as_typed(
    query: QueryText, english: str | None
) -> None:
    assert template(query=query).queries(pairs({"english": english}, {"english": "x"}))[0] == "barnum"


def test_titles_are_followed_by_the_fields_they_have_and_paths_by_none() -> None:
    table = pairs(
        {"task": "QI", "target": "Tent", "brand": "acme", "size": 2},
        {"task": "QI", "target": "Tent", "brand": None, "size": 3},
        {"brand": "acme"},
    )
    written = template(item_fields=("brand", "absent", "size")).targets(table)
    assert written.to_list() == ["Tent, acme, 2", "Tent, 3", PATH]


@pytest.mark.parametrize(
    "value",
    [None, "", " ", "nan", "NaN", "None", "null", float("nan")],
    ids=lambda value: f"{type(value).__name__} {value}",
)
def test_a_field_without_a_value_is_not_written(value: Any) -> None:
    row = {"task": "QI", "target": "tent", "brand": value}
    assert template(item_fields=("brand",)).targets(pairs(row)).item() == "tent"


@given(st.sampled_from(["nan", "NaN", "", None, " nan "]), st.sampled_from(["QC", "QI"]))
def test_a_missing_text_is_never_read_as_nan(missing: str | None, task: str) -> None:
    row = {"task": task, "query": "tea", "english": missing, "target": missing}
    table = clean(pairs(row), CurateSettings())
    written = template(query="both", path="leaf-first")
    assert (written.queries(table).item(), written.targets(table).item()) == ("tea", "")


def test_the_fingerprint_changes_with_every_setting_and_with_the_cleaning() -> None:
    templates = [
        template(),
        template(query="both"),
        template(path="leaf"),
        template(item_fields=("brand",)),
        Template(FormatSettings(), cleaning=2),
    ]
    assert len({each.fingerprint for each in templates}) == len(templates)
    assert template().fingerprint == template().fingerprint
    assert all(len(each.fingerprint) == 12 for each in templates)


def test_no_pairs_are_written_as_no_texts() -> None:
    none = Pairs.concat([])
    assert template(query="both", path="leaf-first", item_fields=("brand",)).targets(none).len() == 0
    assert template(query="both").queries(none).len() == 0
