"""The page of an exploration: its figures are those of the JSON, and anyone can read it anywhere."""

import json
import re
from collections.abc import Mapping
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shopglot.core.pairs import Pairs
from shopglot.report.explore import explore_pairs
from shopglot.report.explore_page import SECTIONS, exploration_page, write_exploration
from tests import shop
from tests.report.explored import ORIGIN, exploration
from tests.report.parsed import Parsed

NASTY = "<script>alert(1)</script>"
Tables = dict[str, dict[str, list[str]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("explored")
    write_exploration(exploration(), out)
    return out


@pytest.fixture(scope="module")
def tree(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "explore.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / "explore.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tables(html: str) -> Tables:
    """The rows of each table by their names, by its caption."""
    return {
        unescape(caption): {
            plain(name): [plain(cell) for cell in re.findall(r"<td>(.*?)</td>", cells)]
            for name, cells in re.findall(r'<tr><th scope="row">(.*?)</th>(.*)</tr>', rows)
        }
        for caption, rows in re.findall(r"<caption><span>(.*?)</span></caption>(.*?)</table>", html, re.DOTALL)
    }


def plain(text: str) -> str:
    return re.sub("[\u2068\u2069]", "", unescape(text))


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def figure(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


def name(each: Mapping[str, Any]) -> str:
    label = {None: None, 0: "irrelevant", 1: "relevant"}[each.get("label")]
    return ", ".join(filter(None, (each["text"], each["language"], label)))


@pytest.mark.parametrize("task", ["QC", "QI"])
def test_the_counts_of_the_json_stand_in_the_page(task: str, tree: dict[str, Any], tables: Tables) -> None:
    found = tree["tasks"][task]
    assert tables[f"{task}: Pairs by language"] == {
        each["language"]: [f"{each['named']:,}", f"{each['corrected']:,}"] for each in found["languages"]
    }
    assert tables[f"{task}: Suspected wrong language labels"] == {
        f"{each['named']} → {each['corrected']}": [
            str(each["pairs"]), str(each["queries"]), " · ".join(each["examples"][:5])
        ]
        for each in found["corrections"]
    }  # fmt: skip
    rows = {
        each["language"] or "all": [
            *(f"{each[key]:,}" for key in ("irrelevant", "relevant", "unlabelled")), percent(each["relevant_share"])
        ]
        for each in found["labels"]
    }  # fmt: skip
    assert tables[f"{task}: Pairs by label"] | tables[f"{task}: Pairs by label and language"] == rows
    shown = tables[f"{task}: Queries by their number of pairs"]
    assert list(shown.values()) == [
        [str(each["queries"]), percent(each["queries_share"]), str(each["pairs"]), percent(each["pairs_share"])]
        for each in found["queries"]["repetitions"]
    ]
    assert tables[f"{task}: Queries with the most pairs"] == {
        each["query"]: [str(each["pairs"]), percent(each["relevant_share"])] for each in found["queries"]["most"]
    }
    duplicates = found["duplicates"]
    kinds = ("duplicates", "near_duplicates", "contradictory_pairs", "contradictions")
    shown = tables[f"{task}: Duplicates and contradictions"]
    assert [cells[0] for cells in shown.values()] == [str(duplicates[kind]) for kind in kinds]
    assert tables.get(f"{task}: Contradictions, such as", {}) == {
        each["query"]: [each["target"], str(each["relevant"]), str(each["irrelevant"])]
        for each in duplicates["examples"]
    }


@pytest.mark.parametrize("task", ["QC", "QI"])
def test_the_figures_of_texts_in_the_json_stand_in_the_page(task: str, tree: dict[str, Any], tables: Tables) -> None:
    found = tree["tasks"][task]
    columns = ("minimum", "p25", "median", "p75", "p95", "p99", "maximum")
    for caption, unit, spoken in (
        ("Length in characters by label", "characters", False),
        ("Length in words by label", "words", False),
        ("Tokens by label", "tokens", False),
        ("Length of the query by language", "characters", True),
        ("Tokens of the query by language", "tokens", True),
    ):
        assert tables[f"{task}: {caption}"] == {
            name(each): [f"{each['pairs']:,}", f"{each['mean']:,.1f}", *(figure(each[column]) for column in columns)]
            for each in found["lengths"]
            if each["unit"] == unit and bool(each["language"]) == spoken
            if each["text"] == "query" or not spoken
        }
    for text in {each["text"] for each in found["bins"]}:
        shown = tables[f"{task}: Pairs by length of the {text}"]
        assert [cells for (cells,) in shown.values()] == [
            f"{each['pairs']:,}" for each in found["bins"] if each["text"] == text
        ]
        assert tables[f"{task}: Top words of the {text}"] == {
            each["word"]: [f"{each['pairs']:,}", percent(each["relevant_share"])]
            for each in found["words"]
            if each["text"] == text and not each["language"]
        }
    by_language = tables[f"{task}: Top words of the query by language"]
    for each in found["words"]:
        assert not each["language"] or f"{each['word']} {each['pairs']}" in by_language[each["language"]][0]
    shown = {
        row: cells
        for caption, rows in tables.items()
        if caption.startswith(f"{task}: Words ")
        for row, cells in rows.items()
    }
    assert shown == {
        name(each): [f"{each['pairs']:,}", f"{each['mean']:.4f}", f"{each['median']:.4f}", percent(each["any_share"])]
        for each in found["overlaps"]
        if each["label"] is not None or not each["language"]
    }
    assert tables[f"{task}: Fertility"] == {
        name(each): [
            *(f"{each[key]:,}" for key in ("texts", "tokens", "words", "characters")),
            f"{each['tokens_per_word']:.2f}",
            f"{each['tokens_per_character']:.3f}",
        ]
        for each in found["fertility"]
    }


def test_the_figures_of_the_tree_and_of_other_files_in_the_json_stand_in_the_page(
    tree: dict[str, Any], tables: Tables
) -> None:
    found = tree["tasks"]["QC"]
    assert tables["QC: Category paths by depth"] == {
        str(each["depth"]): [
            str(each["paths"]),
            percent(each["paths_share"]),
            str(each["pairs"]),
            percent(each["pairs_share"]),
            percent(each["relevant_share"]),
        ]
        for each in found["tree"]["depths"]
    }
    assert tables["QC: Breadth of the tree by level"] == {
        str(each["level"]): [
            str(each["nodes"]),
            str(each["parents"]),
            "–" if each["mean_children"] is None else f"{each['mean_children']:.1f}",
            str(each["most_children"]),
        ]
        for each in found["tree"]["levels"]
    }
    assert tables["QC: Top levels"] == {
        each["name"]: [str(each["paths"]), str(each["pairs"]), percent(each["relevant_share"])]
        for each in found["tree"]["branches"]
    }
    assert tables["QC: What some files hold and the others lack"] == {
        f"{each['what']}, {each['where']}": [
            f"{each['unseen']} of {each['values']}",
            percent(each["unseen_share"]),
            str(each["unseen_pairs"]),
            percent(each["unseen_pairs_share"]),
        ]
        for each in found["against"]
    }
    assert tables["QC: What only some files hold, such as"] == {
        f"{each['what']}, {each['where']}": [" · ".join(each["examples"][:5])]
        for each in found["against"]
        if each["examples"]
    }


def test_the_cards_and_the_files_are_those_of_the_json(tree: dict[str, Any], html: str, tables: Tables) -> None:
    files = tables["Files"]
    assert files["files"] == ["data/train_QC.txt · data/train_QI.txt"]
    assert files["left out: not valid JSON"] == ["17, first data/train_QC.txt line 8"]
    assert files["queries in both tasks"] == [str(tree["shared_queries"])]
    shown = re.findall(r"<dd>(.*?)</dd>", html)
    for found in tree["tasks"].values():
        assert f"{percent(found['labels'][0]['relevant_share'])} %" in shown
        for number in (found["queries"]["distinct"], found["queries"]["both_labels"], found["targets"]):
            assert f"{number:,}" in shown
        assert str(sum(each["pairs"] for each in found["corrections"])) in shown


def test_the_page_needs_nothing_beside_itself_and_every_link_leads_somewhere(html: str) -> None:
    parsed = Parsed(html)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & {tag for tag, _ in parsed.tags}
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {(attributes["href"] or "")[1:] for tag, attributes in parsed.tags if tag == "a"}
    assert targets == {"files", *(section.key for section in SECTIONS)}
    assert targets | {
        attributes["aria-labelledby"] for _, attributes in parsed.tags if "aria-labelledby" in attributes
    } <= {*ids}


def test_the_page_can_be_read_aloud(html: str) -> None:
    parsed = Parsed(html)
    assert ("html", {"lang": "en"}) in parsed.tags
    levels = [int(tag[1]) for tag, _ in parsed.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(tags[0] == "caption" and "tbody" in tags for tags in parsed.tables)
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in parsed.tags if tag == "th")
    groups = [attributes["aria-label"] for _, attributes in parsed.tags if attributes.get("role") == "group"]
    assert len(groups) == len(parsed.tables) == len(set(groups))
    pictures = [attributes["aria-label"] for _, attributes in parsed.tags if attributes.get("role") == "img"]
    assert len(pictures) == [tag for tag, _ in parsed.tags].count("svg") > 20
    assert {picture.partition(";")[0] for picture in pictures if picture} <= set(groups)


def test_words_of_the_files_cannot_become_markup() -> None:
    text = exploration_page(exploration(query=pl.lit(NASTY), target=pl.lit(NASTY), language=pl.lit(NASTY)))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 5
    Parsed(text)


def test_what_there_is_nothing_of_is_said() -> None:
    pairs = shop.pairs(20).of_task("QI")
    bare = Pairs.from_frame(pairs.frame.drop("label", "english"))
    origin = ORIGIN.model_copy(update={"against": (), "tokenizer": None, "simulated": False})
    text = Parsed(exploration_page(explore_pairs(bare, bare["language"], origin))).text
    for sentence in (
        "No pair of these files has a label.",
        "No pair of these files has a category path.",
        "No tokenizer was named; --tokenizer names one.",
        "No other files were given",
    ):
        assert sentence in text
    assert "simulated" not in text
    assert "Query–category" not in text


def test_simulated_pairs_are_said_to_be_so_in_the_heading(html: str) -> None:
    assert "<h1>Exploration of train_QC.txt, train_QI.txt: simulated data</h1>" in html
