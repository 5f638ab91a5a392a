"""What stands in a form before anybody wrote into it, so that a first look shows something."""

from typing import Final

from shopglot.core.pair import Task

QUERIES: Final = {
    "hundebett": "de",
    "سماعات لاسلكية": "ar",
    "ワイヤレスイヤホン": "ja",
    "กระเป๋าเดินทาง": "th",
    "zapatillas de correr mujer": "es",
}
"""Queries in several scripts, with their languages."""
TARGETS: Final[dict[Task, tuple[str, ...]]] = {
    "QI": (
        "Orthopedic Dog Bed, Large, Grey",
        "Washable Pet Cushion for Small Dogs",
        "Cat Tree with Scratching Post, 140 cm",
        "Wireless Earbuds with Noise Cancelling",
        "Wired In-Ear Headphones, 3.5 mm",
        "Carry-On Suitcase with Spinner Wheels",
        "Women's Running Shoes, Breathable Mesh",
        "Stainless Steel Water Bottle, 750 ml",
    ),
    "QC": (
        "pet supplies,dogs,beds",
        "pet supplies,cats,beds",
        "furniture,beds & accessories,beds & bed frames",
        "consumer electronics,audio,headphones",
        "consumer electronics,audio,speakers",
        "luggage & bags,suitcases",
        "apparel & accessories,shoes,athletic shoes",
        "home & garden,kitchen & dining,water bottles",
    ),
}
"""Items, and category paths, each of which some of the queries mean."""
