"""A shop without labels gets weak ones, which twins in other languages do not carry across a fold."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from shopglot.cli import app
from shopglot.core.category import CategoryPath
from shopglot.core.errors import DataError, RecipeError
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.curate.read import read_pairs
from shopglot.curate.settings import CurateSettings
from shopglot.enrich.bootstrap import Bootstrapped, bootstrap
from shopglot.enrich.bootstrap_files import load_settings, write_bootstrap
from shopglot.enrich.bootstrap_settings import BootstrapSettings
from shopglot.enrich.catalogue_file import read_items
from shopglot.enrich.localised_paths import find_localised, read_localised
from shopglot.enrich.negative_settings import NegativeSettings

ROOMS = {"Kitchen": "Cuisine", "Garden": "Jardin", "Office": "Bureau", "Bath": "Bain"}
THINGS = {"Covers": "Housses", "Lamps": "Lampes", "Chairs": "Chaises", "Pots, Pans & Woks": "Pots, poêles et woks"}
COLOURS = ("red", "blue", "dark red")


def taxonomy(folder: Path) -> Path:
    """Write the tree of a home shop in English, French and Italian; one node has no English name."""
    lines: dict[str, list[str]] = {
        "en": ["1\tHome"],
        "fr": ["1\tMaison", "x\tMaison > Sans anglais"],
        "it": ["1\tCasa"],
    }
    for room, (english, french) in enumerate(ROOMS.items()):
        paths = {"en": f"Home > {english}", "fr": f"Maison > {french}", "it": f"Casa > {french}o"}
        for language, path in paths.items():
            lines[language].append(f"1-{room}\t{path}")
            for number, (thing, chose) in enumerate(THINGS.items()):
                name = thing if language == "en" else f"{chose}{room}" if language == "fr" else f"{chose}a {room}"
                lines[language].append(f"1-{room}-{number}\t{path} > {name}")
    for language, rows in lines.items():
        (folder / f"{language}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def catalogue(folder: Path) -> Path:
    rng = np.random.default_rng(2)
    rows = [
        {
            "title": f"Acme {colour} {room} {thing} {size}",
            "category": f"Home > {room} > {thing}" if rng.random() < 0.5 else f"gid://shopify/X/1-{i}-{k}",
            "colour": colour,
        }
        for i, room in enumerate(ROOMS)
        for k, thing in enumerate(THINGS)
        for colour in COLOURS
        for size in range(2)
    ]
    rows += [{"title": "lost", "category": "Nowhere", "colour": "red"}, {"title": "", "category": "Home", "colour": ""}]
    pl.DataFrame(rows).write_csv(folder / "items.csv")
    return folder / "items.csv"


def made(folder: Path, **settings: object) -> Bootstrapped:
    names = read_localised(find_localised(taxonomy(folder)))
    return bootstrap(names, None, BootstrapSettings.model_validate({"dev": 0.2, "seed": 3, **settings}))


def concepts(pairs: Pairs) -> set[str]:
    return set(pairs["concept"])


def test_a_name_is_relevant_to_its_path_in_the_target_language(tmp_path: Path) -> None:
    train = made(tmp_path, dev=0).train.frame
    own = train.filter(pl.col("query") == "Pots, poêles et woks2", pl.col("made_by") == "own")
    assert own.select("language", "target", "label", "concept", "made_from").rows() == [
        ("fr", "home,office,pots, pans & woks", 1, "1-2-3", None)
    ]


def test_a_name_that_categories_share_also_stands_behind_its_parents(tmp_path: Path) -> None:
    train = made(tmp_path, dev=0).train.frame.filter(pl.col("label") == 1, pl.col("language") == "en")
    assert train.filter(pl.col("query") == "Covers")["target"].n_unique() == len(ROOMS)
    assert train.filter(pl.col("query") == "Bath Covers")["target"].to_list() == ["home,bath,covers"]


def test_some_queries_are_paired_with_a_child(tmp_path: Path) -> None:
    children = made(tmp_path, dev=0, children=1.0).train.frame.filter(pl.col("made_by") == "child")
    assert children.height == 3 * (1 + len(ROOMS))
    for node, target in children.select("concept", "target").iter_rows():
        assert CategoryPath.parse(target).levels[:-1] == (
            "home",
            *([list(ROOMS)[int(node[2:])].lower()] if node[2:] else []),
        )


def test_no_negative_is_a_category_of_the_same_name_nor_above_nor_below_its_own(tmp_path: Path) -> None:
    negatives = made(tmp_path, dev=0, negatives={"per_positive": 5}).train.frame.filter(pl.col("label") == 0)
    assert set(negatives["made_by"]) == {f"negative:{kind}" for kind in NegativeSettings().shares}
    rooms, things = list(ROOMS), list(THINGS)
    for concept, target in negatives.select("concept", "target").iter_rows():
        _, *numbers = (int(part) for part in concept.split("-"))
        names = [name[number] for name, number in zip((rooms, things), numbers, strict=False)]
        own, other = CategoryPath(("home", *(name.lower() for name in names))), CategoryPath.parse(target)
        assert not own.is_within(other)
        assert not other.is_within(own)
        assert own.leaf != other.leaf


def test_dev_alone_shows_whole_branches_and_languages(tmp_path: Path) -> None:
    both = made(tmp_path, dev_languages=["it"])
    branches = {
        split: {CategoryPath.parse(path).prefix(2) for path in pairs["target"]}
        for split, pairs in (("train", both.train), ("dev", both.dev))
    }
    assert set(both.train["language"]) == {"en", "fr"}
    assert len(branches["dev"] - branches["train"]) == 1
    new = both.dev.filter(~pl.col("own:seen_branch"))
    assert set(new["language"]) == {"en", "fr", "it"}
    assert set(both.dev.filter(pl.col("own:seen_branch"))["language"]) == {"it"}
    assert concepts(both.train).isdisjoint(concepts(new))


def test_no_query_of_train_is_one_of_dev(tmp_path: Path) -> None:
    both = made(tmp_path)
    assert set(both.train["query"]).isdisjoint(both.dev["query"])
    assert both.counts["dev queries that train has"] > 0  # "Covers" is also a name of the branch held out
    assert both.counts["names of categories without a path in the target language"] == 1


def test_the_same_seed_gives_the_same_pairs(tmp_path: Path) -> None:
    one, again, other = (made(tmp_path, seed=seed) for seed in (1, 1, 2))
    assert one.train.frame.equals(again.train.frame)
    assert one.dev.frame.equals(again.dev.frame)
    assert not one.train.frame.equals(other.train.frame)


def test_there_are_no_more_pairs_than_asked_for_or_hardly(tmp_path: Path) -> None:
    assert len(made(tmp_path, dev=0, pairs=40).train) == pytest.approx(40, abs=8)


def test_parts_of_a_name_are_queries_only_where_they_share_no_word(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text(
        "Home > Axes & Hatchets\nHome > Baseball & Softball Gloves\nHome > Rugs\nHome > Tents\n"
    )
    names = read_localised(find_localised(tmp_path))
    train = bootstrap(names, None, BootstrapSettings(dev=0, split_names=True)).train.frame
    assert train.filter(pl.col("made_by") == "part")["query"].sort().to_list() == ["Axes", "Hatchets"]


def test_synonyms_are_queries_and_no_negative_of_each_other(tmp_path: Path) -> None:
    table = {"path": ["Home > Sofas", "Home > Rugs", "Home > Couches"], "synonyms": ["couches|settees", "", ""]}
    pl.DataFrame(table).write_csv(tmp_path / "en.csv")
    settings = BootstrapSettings(dev=0, negatives=NegativeSettings(per_positive=5))
    train = bootstrap(read_localised(find_localised(tmp_path)), None, settings).train.frame
    assert set(train.filter(pl.col("made_by") == "synonym")["query"]) == {"couches", "settees"}
    assert train.filter(pl.col("query") == "couches", pl.col("label") == 0)["target"].to_list() == ["home,rugs"]


class LikesLamps:
    """Scores lamps high."""

    def score(self, pairs: Pairs) -> Scores:
        return pairs["target"].str.to_lowercase().str.contains("lamps").to_numpy().astype(np.float64)


def test_what_a_scorer_scores_high_is_no_negative(tmp_path: Path) -> None:
    names = read_localised(find_localised(taxonomy(tmp_path)))
    train = bootstrap(names, None, BootstrapSettings(dev=0), scorer=LikesLamps()).train.frame
    assert not train.filter(pl.col("label") == 0)["target"].str.contains("lamps").any()


def test_the_files_are_read_back_as_they_were_made(tmp_path: Path) -> None:
    settings = BootstrapSettings(attributes=("colour",), dev=0.2, dev_languages=("it",))
    items = catalogue(tmp_path)
    counts = write_bootstrap(tmp_path / "out", settings, taxonomy=taxonomy(tmp_path / "."), catalogue=items)
    assert sorted(file.name for file in counts) == ["dev_QC.txt", "dev_QI.txt", "train_QC.txt", "train_QI.txt"]
    for file, rows in counts.items():
        reading = read_pairs([file], CurateSettings())
        assert (reading.rows, reading.quarantine.height) == (rows, 0)
        assert reading.pairs["concept"].null_count() == 0
        assert set(reading.pairs.labels) == {0, 1}
    ids = read_pairs(list(counts), CurateSettings()).pairs["id"]
    assert ids.n_unique() == sum(counts.values())
    facts = json.loads((tmp_path / "out" / "bootstrap.json").read_text())
    assert "nobody judged them" in facts["labels"]
    assert sorted(facts["read"]) == ["en.tsv", "fr.tsv", "it.tsv", "items.csv"]
    assert facts["counts"]["items without a category of the tree"] == 1
    assert "home,kitchen,pots, pans & woks\n" in (tmp_path / "out" / "taxonomy.txt").read_text().splitlines(
        keepends=True
    )


def test_titles_are_relevant_to_their_category_and_attributes_to_titles_that_state_them(tmp_path: Path) -> None:
    settings = BootstrapSettings(attributes=("colour",), dev=0)
    write_bootstrap(tmp_path / "out", settings, taxonomy=taxonomy(tmp_path), catalogue=catalogue(tmp_path))
    pairs = pl.read_ndjson(tmp_path / "out" / "train_QI.txt")
    assert {"title", "attribute", "negative:attribute", "negative:sibling", "negative:random"} <= set(pairs["made_by"])
    for query, title, kind in pairs.select("origin_query", "item_title", "made_by").iter_rows():
        if kind == "attribute":
            colour = next(colour for colour in COLOURS if query.startswith(f"{colour} "))
            assert f" {colour} " in title
            assert query.removeprefix(f"{colour} ") in title
        if kind == "negative:attribute":
            assert query.split(" ", 1)[1].removeprefix("red ") in title
            assert not (query.startswith("red") and "red" in title)
            assert not (query.startswith("dark red") and " red" in title)
    assert (
        pairs.filter(pl.col("origin_query") == "Kitchen", pl.col("label") == 1)["item_title"]
        .str.contains("Kitchen")
        .all()
    )
    assert (
        not pairs.filter(pl.col("origin_query") == "Kitchen", pl.col("label") == 0)["item_title"]
        .str.contains("Kitchen")
        .any()
    )


def test_titles_are_queries_for_their_category_where_that_is_asked_for(tmp_path: Path) -> None:
    settings = BootstrapSettings(dev=0, title_queries=1)
    write_bootstrap(tmp_path / "out", settings, taxonomy=taxonomy(tmp_path), catalogue=catalogue(tmp_path))
    pairs = pl.read_ndjson(tmp_path / "out" / "train_QC.txt").filter(pl.col("made_by") == "title")
    assert pairs.height == len(ROOMS) * len(THINGS)
    first = pairs.filter(pl.col("origin_query") == "Acme red Office Lamps 0")
    assert first.select("category_path", "concept", "label").rows() == [("home,office,lamps", "1-2-1", 1)]


def test_a_catalogue_alone_names_its_categories(tmp_path: Path) -> None:
    pl.DataFrame(
        {"name": ["a", "b", "c", "d"], "shelf": ["Home > Rugs", "Home > Lamps", "Home > Lamps", "Toys > Cars"]}
    ).write_parquet(tmp_path / "items.parquet")
    settings = BootstrapSettings(title="name", category="shelf", dev=0)
    files = write_bootstrap(tmp_path / "out", settings, catalogue=tmp_path / "items.parquet")
    assert sorted(file.name for file in files) == ["train_QC.txt", "train_QI.txt"]


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"name": "x", "category": "Home"}, "has no column 'title'; it has name, category"),
        ({"title": "x", "shelf": "Home"}, "has no column 'category'; it has title, shelf"),
        ({"title": "", "category": "Home"}, "has no item with both"),
    ],
)
def test_what_a_catalogue_lacks_is_said(tmp_path: Path, columns: dict[str, str], complaint: str) -> None:
    pl.DataFrame([columns]).write_csv(tmp_path / "items.csv")
    with pytest.raises(DataError, match=complaint):
        write_bootstrap(tmp_path / "out", BootstrapSettings(), catalogue=tmp_path / "items.csv")


def test_a_language_without_names_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no category has a path in 'de'; there are names in en, fr, it"):
        made(tmp_path, target_language="de")
    with pytest.raises(RecipeError, match="no names in the language 'th'"):
        made(tmp_path, dev_languages=["th"])
    assert set(made(tmp_path, dev=0, languages=["fr"]).train["language"]) == {"fr"}


def test_where_nothing_is_left_to_train_on_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no category has a query and a path to train on"):
        made(tmp_path, dev_languages=["en", "fr", "it"])


def test_settings_come_from_a_file_and_from_the_command(tmp_path: Path) -> None:
    (tmp_path / "weak.yaml").write_text("children: 0.5\nnegatives: {shares: {sibling: 2, random: 1}}\n")
    read = load_settings(tmp_path / "weak.yaml", seed=9, pairs=None)
    assert (read.children, read.seed, read.negatives.shares) == (0.5, 9, {"sibling": 2.0, "random": 1.0})
    (tmp_path / "weak.yaml").write_text("childs: 0.5\n")
    with pytest.raises(RecipeError, match="did you mean 'children'"):
        load_settings(tmp_path / "weak.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dev: 0.1\ndev: 0.5\n", "key 'dev' again"),
        ("[" * 5000, "weak.yaml is not YAML"),
        ("negatives: {shares: {sib: 1}}\n", "negatives.shares.sib: Input should be 'sibling'"),
    ],
)
def test_settings_that_cannot_be_read_are_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "weak.yaml").write_text(text)
    with pytest.raises(RecipeError, match=words):
        load_settings(tmp_path / "weak.yaml")


def test_rows_of_a_catalogue_that_cannot_be_read_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    items = tmp_path / "items.csv"
    items.write_text('title,category\nred lamp,"home,lamps"\nblue lamp,home,lamps\n')
    assert read_items(items, BootstrapSettings())["target"].to_list() == ["red lamp"]
    said = "cannot be read: 1, the first in line 3 (fields: 3, where the header names 2); they are left out"
    assert caplog.messages == [f"rows of {items} that {said}"]


def test_a_catalogue_without_a_readable_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"title":\n{]\n')
    with pytest.raises(DataError, match=r"cannot be read: 2, the first in line 1 \(not valid JSON\), and no other"):
        read_items(tmp_path / "items.jsonl", BootstrapSettings())


def test_the_command_writes_the_files_and_says_how_many_pairs(tmp_path: Path) -> None:
    arguments = [
        "bootstrap",
        "--taxonomy",
        str(taxonomy(tmp_path)),
        "--out",
        str(tmp_path / "out"),
        "--dev-languages",
        "it",
    ]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "weakly labelled pairs" in done.output
    assert (tmp_path / "out" / "train_QC.txt").is_file()


def test_without_files_the_command_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="name a folder of category paths, a catalogue, or both"):
        write_bootstrap(tmp_path / "out", BootstrapSettings())
    assert not (tmp_path / "out").exists()
