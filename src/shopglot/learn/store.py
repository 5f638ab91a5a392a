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
    write_json(folder / "scorer.json", {"kind": kind, "template": template_facts(template), **facts})


def read_scorer(folder: Path) -> tuple[dict[str, Any], Template]:
    """Return what `write_scorer` wrote; raises BundleError when this version would write other text for a pair."""
    facts = read_json(folder / "scorer.json")
    return facts, read_template(facts["template"], folder)


def template_facts(template: Template) -> dict[str, Any]:
    """Return the template as JSON."""
    return {
        "format": template.settings.model_dump(),
        "cleaning": template.cleaning,
        "fingerprint": template.fingerprint,
    }


def read_template(facts: dict[str, Any], where: Path) -> Template:
    """Return what `template_facts` gave; raises BundleError when this version would write other text for a pair."""
    template = Template(FormatSettings(**facts["format"]), CLEANING_VERSION)
    if template.fingerprint != facts["fingerprint"]:
        raise BundleError(f"{where} was trained on text written in another way; fit it again with this version")
    return template
