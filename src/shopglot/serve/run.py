"""A bundle behind HTTP, from its folder to the end of the process."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shopglot.core.errors import BundleError
from shopglot.core.files import sha256
from shopglot.core.scores import Encoder
from shopglot.curate.taxonomy import read_taxonomy
from shopglot.enrich.enrich import Translating
from shopglot.enrich.translate_settings import TranslateSettings
from shopglot.learn.embedding import EmbeddingScorer
from shopglot.learn.pretrained import resolve
from shopglot.merge.blend import Blend, Mean
from shopglot.pack.bundle import Bundle, load
from shopglot.serve.app import Extras, Other, create_app
from shopglot.serve.http_settings import HttpSettings
from shopglot.serve.pages.report_page import report_of
from shopglot.serve.policy import Policies
from shopglot.serve.reviews import Reviews
from shopglot.serve.security import Keys
from shopglot.serve.suggest import Suggester

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Given:
    """The files a server starts with beside its bundle, which it never writes.

    `policies` is a folder that it may write, and beside `review` it keeps what people decide. `compare` is the bundle
    of the second model, and `run` the folder of the run whose report is shown.
    """

    taxonomy: Sequence[Path] = ()
    keys: Path | None = None
    policies: Path | None = None
    translator: TranslateSettings | None = None
    compare: Path | None = None
    run: Path | None = None
    review: Path | None = None


def serve(
    bundle: Path, given: Given, settings: HttpSettings, *, host: str, port: int, begun: Callable[[str], None]
) -> None:
    """Answer until the process is told to end, and then finish what was taken; `begun` is told the address.

    Raises BundleError, DataError or RecipeError where a file is none, and OSError where the port is taken.
    """
    import uvicorn

    model = load(bundle)
    extras = load_extras(bundle, model, given)
    app = create_app(model.knowing(read_taxonomy(given.taxonomy, model.curate)), settings, extras)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=settings.connections,
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )
    )
    begun(f"http://{host}:{port}")
    server.run()


def load_extras(bundle: Path, model: Bundle, given: Given) -> Extras:
    """Return what the server has beside its model: keys, policies, the index of the categories, a translator."""
    paths = read_taxonomy(given.taxonomy, model.curate)
    encoder = encoder_of(model.scorer)
    return Extras(
        tasks=tuple(model.decision.tasks),
        keys=None if given.keys is None else Keys.read(given.keys),
        policies=Policies(given.policies),
        suggester=Suggester.of(paths, encoder) if paths else None,
        translating=None if given.translator is None else Translating.of(given.translator, resolve),
        decision=model.decision,
        facts=_facts(bundle, model),
        other=None if given.compare is None else _other(given.compare, given.taxonomy, model),
        report=None if given.run is None else report_of(given.run),
        reviews=None if given.review is None else _reviews(given.review),
    )


def _reviews(review: Path) -> Reviews:
    reviews = Reviews(review)
    if reviews.notice is not None:
        log.warning(reviews.notice)
    return reviews


def _other(bundle: Path, taxonomy: Sequence[Path], first: Bundle) -> Other:
    model = load(bundle)
    if not model.decision.tasks.keys() & first.decision.tasks.keys():
        raise BundleError(f"{bundle} decides no task of the served bundle; compare bundles of the same task")
    knowing = model.knowing(read_taxonomy(taxonomy, model.curate))
    return Other(knowing, tuple(model.decision.tasks), model.decision, _facts(bundle, model))


def _facts(bundle: Path, model: Bundle) -> dict[str, Any]:
    return {**model.facts, "sha256": sha256(bundle / "manifest.json")}


def encoder_of(scorer: object) -> Encoder | None:
    """Return the encoder of sentence vectors inside a scorer, None where it has none."""
    match scorer:
        case EmbeddingScorer():
            return scorer.encoder
        case Blend():
            inner = [encoder_of(each) for each in scorer.scorers.values()]
        case Mean():
            inner = [encoder_of(each) for each in scorer.scorers]
        case _:
            return None
    return next((each for each in inner if each is not None), None)
