from pathlib import Path

import pytest

from shopglot.core.errors import DataError
from shopglot.curate.layouts import layout_of
from shopglot.curate.separated import read_separated
from tests.curate.files import text_file


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            "query,category,relevant",
            "no column 'origin_query' and no 'category_path' or 'item_title'; is 'category' meant",
        ),
        ("example_id,query,esci_label,product_titel", "no column 'product_title'; is 'product_titel' meant"),
        ("query;category_path;label", "one column 'query;category_path;label'; are its fields separated otherwise"),
    ],
)
def test_what_a_header_lacks_is_named_in_the_words_of_the_nearest_layout(
    tmp_path: Path, header: str, said: str
) -> None:
    table = read_separated(text_file(tmp_path / "a.csv", header, header), ",")
    with pytest.raises(DataError, match=said):
        layout_of(table)
