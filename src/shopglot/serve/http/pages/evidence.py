"""What speaks against a label, in the words of the page."""

import re
from typing import Final

from shopglot.core.category import CategoryPath
from shopglot.core.errors import DataError

LABELS: Final = ("not relevant", "relevant")
_MODELS: Final = re.compile(r"the models give label (?P<label>[01]) a probability of (?P<share>[01]?\.\d+|[01])")


def percent(share: float) -> str:
    """Return a share in percent, for a glance.

    >>> percent(0.374), percent(0.004), percent(0.0), percent(1.0)
    ('37 %', 'under 1 %', 'under 1 %', '100 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.005 else "under 1 %"  # noqa: PLR2004


def worded(reason: str) -> str:
    """Return a reason of a review file for people; one that the audit does not write stays as it is.

    >>> worded("the models give label 0 a probability of 0.37")
    'the models, which never saw the pair, give “not relevant” 37 %'
    >>> worded("QC-7 is relevant in a category below: food,tea, loose,green tea")
    'QC-7 is relevant in a category below: food › tea, loose › green tea'
    """
    if found := _MODELS.fullmatch(reason):
        label, share = LABELS[int(found["label"])], percent(float(found["share"]))
        return f"the models, which never saw the pair, give “{label}” {share}"
    said, colon, path = reason.partition(": ")
    try:
        return f"{said}: {' › '.join(CategoryPath.parse(path).levels)}" if colon else reason
    except DataError:
        return reason
