"""A bundle or a cascade behind HTTP, from its files to the end of the process."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shopglot.curate.taxonomy import read_taxonomy
from shopglot.enrich.enrich import Translating
from shopglot.enrich.translate_settings import TranslateSettings
from shopglot.learn.pretrained import resolve
from shopglot.merge.decide import Decider
from shopglot.serve.app import Extras, create_app
from shopglot.serve.deciders import load_decider
from shopglot.serve.http_settings import HttpSettings
from shopglot.serve.model import encoder_of, facts_of, tasks_of, vectors_of
from shopglot.serve.policy import Policies
from shopglot.serve.security import Keys
from shopglot.serve.suggest import Suggester
from shopglot.serve.threads import at_rest, limit_products

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Given:
    """The files a server starts with beside its bundle, which it never writes; `policies` is the one it may write."""

    taxonomy: Sequence[Path] = ()
    keys: Path | None = None
    policies: Path | None = None
    translator: TranslateSettings | None = None


def serve(
    model: Path, given: Given, settings: HttpSettings, *, host: str, port: int, begun: Callable[[str], None]
) -> None:
    """Answer until the process is told to end, and then finish what was taken; `begun` is told the address.

    `model` is the folder of a bundle, or the routing file of a cascade.

    Raises BundleError, DataError or RecipeError where a file is none, and OSError where the port is taken.
    """
    import uvicorn

    decider, extras = load_served(model, given)
    if settings.threads is not None:
        limit_products(settings.threads)
    app = create_app(decider, settings, extras)
    at_rest()
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


def load_served(model: Path, given: Given) -> tuple[Decider, Extras]:
    """Return what decides, which knows the categories of the shop, and what the server has beside it.

    That is: keys, policies, the index of the categories, a translator.
    """
    loaded = load_decider(model)
    paths = read_taxonomy(given.taxonomy, loaded.curate)
    decider = loaded.knowing(paths)
    encoder = encoder_of(decider)
    if paths:
        _read_categories(decider)
    extras = Extras(
        tasks=tasks_of(decider),
        keys=None if given.keys is None else Keys.read(given.keys),
        policies=Policies(given.policies),
        suggester=Suggester.of(paths, encoder) if paths else None,
        translating=None if given.translator is None else Translating.of(given.translator, resolve),
        facts=facts_of(model, decider),
    )
    return decider, extras


def _read_categories(decider: Decider) -> None:
    """Compute all that can be known of the shop's categories, so that no request has to wait for it."""
    for scorer in vectors_of(decider):
        scorer.known.of(scorer.paths)
