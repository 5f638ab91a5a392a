"""Files of localised paths in every layout become names that their nodes join."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from shopglot.core.errors import DataError
from shopglot.enrich.localised_paths import NAMES, as_written, find_localised, names_of_items, read_localised

SHOPIFY = """\
# Shopify Product Taxonomy - Categories: 2026-08
# Format: {GID} : {Ancestor name} > ... > {Category name}

gid://shopify/TaxonomyCategory/ap         : Animaux
gid://shopify/TaxonomyCategory/ap-1       : Animaux > Chiens, chats : accessoires
"""


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        file = folder / name.replace("__", "/").replace("_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def rows(folder: Path) -> list[tuple[str, ...]]:
    return read_localised(find_localised(folder)).select("node", "language", "path", "name").rows()


def test_the_layout_of_the_public_shopify_taxonomy_is_read(tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "categories.txt").write_text(SHOPIFY)
    (tmp_path / "fr" / "attributes.txt").write_text("gid://shopify/TaxonomyAttribute/1 : Couleur\n")
    (tmp_path / "pt-BR").mkdir()
    (tmp_path / "pt-BR" / "categories.txt").write_text("gid://shopify/TaxonomyCategory/ap : Animais\n")
    (tmp_path / "integrations").mkdir()
    (tmp_path / "version.txt").write_text("2026-08\n")
    assert list(find_localised(tmp_path)) == ["fr", "pt-BR"]
    assert rows(tmp_path) == [
        ("ap", "fr", "Animaux", "Animaux"),
        ("ap-1", "fr", "Animaux,Chiens, chats : accessoires", "Chiens, chats : accessoires"),
        ("ap", "pt", "Animais", "Animais"),
    ]


def test_a_node_and_a_tab_before_the_path_are_read_packed_too(tmp_path: Path) -> None:
    (tmp_path / "ja.tsv.gz").write_bytes(gzip.compress("aa\t衣料品\naa-1\t衣料品 > 靴\n".encode()))
    assert rows(tmp_path) == [("aa", "ja", "衣料品", "衣料品"), ("aa-1", "ja", "衣料品,靴", "靴")]


def test_a_table_has_its_node_its_path_and_perhaps_synonyms(tmp_path: Path) -> None:
    table = pl.DataFrame({"path": ["Shop > Sofas"], "node": ["7"], "synonyms": ["couches | settees"]})
    table.write_csv(tmp_path / "en.csv")
    table.drop("synonyms").write_parquet(tmp_path / "de.parquet")
    names = read_localised(find_localised(tmp_path))
    assert names.schema == NAMES
    assert names.rows() == [
        ("7", "de", "Shop,Sofas", "Sofas", None),
        ("7", "en", "Shop,Sofas", "Sofas", ["couches", "settees"]),
    ]


def test_a_path_without_a_node_is_its_own(tmp_path: Path) -> None:
    written(tmp_path, en_txt="Kids : Toys > Cars\n")
    assert rows(tmp_path) == [("kids : toys,cars", "en", "Kids : Toys,Cars", "Cars")]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Food > Ear,Nose ,Tail", "Food,Ear, Nose, Tail"),
        ("Food > Tea, Coffee", "Food,Tea, Coffee"),
        ("food，fresh > tea", "food, fresh,tea"),
    ],
)
def test_a_comma_in_a_name_stays_in_it_where_arrows_separate_levels(path: str, expected: str) -> None:
    assert as_written(pl.Series([path])).to_list() == [expected]


def test_without_arrows_a_comma_separates_levels() -> None:
    assert as_written(pl.Series(["food,tea, coffee,green"])).to_list() == ["food,tea, coffee,green"]


def test_the_categories_of_items_name_a_shop_that_has_no_file_of_them() -> None:
    names = names_of_items(pl.Series(["Home > Rugs", "home > rugs", "Home"]), "en")
    assert names.select("node", "language", "name").rows() == [("home,rugs", "en", "Rugs"), ("home", "en", "Home")]


def test_the_same_line_twice_is_one_category(tmp_path: Path) -> None:
    assert len(rows(written(tmp_path, en_tsv="a\tHome\na\tHome\n"))) == 1


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"en_tsv": "a\tHome\na\tGarden\n"}, "gives the node 'a' two paths, 'Home' and 'Garden'"),
        ({"en_tsv": "# nothing but this\n"}, "holds no category path"),
        ({"en_tsv": ""}, "is empty"),
        ({"en_tsv": "a\tHome\nb\t \n"}, "line 2 is no category path: ''"),
        ({"en_tsv": "a\t" + " > ".join("x" * 17) + "\n"}, "line 1 is no category path"),
        ({"en_csv": "id,name\n1,Home\n"}, "has no column 'path'; it has id, name"),
        ({"en_csv": "path,node\n"}, "no category path"),
        ({"notes_md": "Home"}, "is laid out in no known way"),
        ({"categories_txt": "Home"}, "is laid out in no known way"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path, files: dict[str, str], complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        read_localised(find_localised(written(tmp_path, **files)))


def test_a_line_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "fr.tsv").write_bytes(b"a\tBo\xeetes\n")
    with pytest.raises(DataError, match="line 1 is no category path"):
        read_localised(find_localised(tmp_path))


def test_a_folder_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder .*nowhere"):
        find_localised(tmp_path / "nowhere")


def test_two_files_of_one_language_are_refused(tmp_path: Path) -> None:
    (tmp_path / "fr.tsv").write_text("a\tBoîtes\n")
    (tmp_path / "fr.csv").write_text("path\nSacs\n")
    with pytest.raises(DataError, match=r"fr\.csv and fr\.tsv are of one language; keep one of them"):
        find_localised(tmp_path)
