"""The small file beside the weights that says what kind of scorer a folder holds."""

from pathlib import Path
from typing import Any

from shopglot.core.errors import BundleError
from shopglot.core.files import read_json, write_json
from shopglot.curate.clean import CLEANING_VERSION
from shopglot.format.settings import FormatSettings
from shopglot.format.template import Template


def write_scorer(folder: Path, *, kind: str, template: Template, **facts: Any) -> None:
    """Write `scorer.json` with the kind, the template and whatever else is needed to read the scorer back."""
    text = {
        "format": template.settings.model_dump(),
        "cleaning": template.cleaning,
        "fingerprint": template.fingerprint,
    }
    write_json(folder / "scorer.json", {"kind": kind, "template": text, **facts})


def read_scorer(folder: Path) -> tuple[dict[str, Any], Template]:
    """Return what `write_scorer` wrote; raises BundleError when this version would write other text for a pair."""
    facts = read_json(folder / "scorer.json")
    text = facts["template"]
    template = Template(FormatSettings(**text["format"]), CLEANING_VERSION)
    if template.fingerprint != text["fingerprint"]:
        raise BundleError(f"{folder} was trained on text written in another way; fit it again with this version")
    return facts, template
