"""A bundle or a cascade behind HTTP, from its files to the end of the process."""

import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shopglot.core.errors import BundleError, RecipeError
from shopglot.curate.taxonomy import read_taxonomy
from shopglot.enrich.enrich import Translating
from shopglot.enrich.translate_settings import TranslateSettings
from shopglot.learn.pretrained import resolve
from shopglot.merge.decide import Decider
from shopglot.serve.cascade.deciders import load_decider
from shopglot.serve.http.app import Extras, Other, create_app
from shopglot.serve.http.model import decision_of, encoder_of, facts_of, tasks_of, vectors_of
from shopglot.serve.http.pages.report_page import report_of
from shopglot.serve.http.policy import Policies
from shopglot.serve.http.reviews.reviews import Reviews
from shopglot.serve.http.security import Keys
from shopglot.serve.http.settings import HttpSettings
from shopglot.serve.http.suggest import Suggester
from shopglot.serve.http.threads import at_rest, limit_products

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
    model: Path, given: Given, settings: HttpSettings, *, host: str, port: int, begun: Callable[[str], None]
) -> None:
    """Answer until the process is told to end, and then finish what was taken; `begun` is told the address.

    `model` is the folder of a bundle, or the routing file of a cascade.

    Raises BundleError, DataError or RecipeError where a file is none or the address cannot be listened at.
    """
    import uvicorn

    decider, extras = load_served(model, given)
    bound = _bound(host, port)
    if settings.threads is not None:
        limit_products(settings.threads)
    app = create_app(decider, settings, extras)
    at_rest()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=settings.connections,
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )
    )
    begun(f"http://{host}:{bound.getsockname()[1]}")
    server.run(sockets=[bound])


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that has the address; raises RecipeError where it cannot be had."""
    if not host:
        raise RecipeError("--host is empty; leave it out, or write 0.0.0.0 for every address of this machine")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, for asyncio sends small answers at once only where it knows that it is TCP.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as reason:
        bound.close()
        said = f"{host}:{port} cannot be listened at ({reason.strerror}); choose another --port or --host"
        raise RecipeError(said) from reason
    return bound


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
        decision=decision_of(decider),
        facts=facts_of(model, decider),
        other=None if given.compare is None else _other(given.compare, given.taxonomy, decider),
        report=None if given.run is None else report_of(given.run),
        reviews=None if given.review is None else _reviews(given.review),
    )
    return decider, extras


def _read_categories(decider: Decider) -> None:
    """Compute all that can be known of the shop's categories, so that no request has to wait for it."""
    for scorer in vectors_of(decider):
        scorer.known.of(scorer.paths)


def _reviews(review: Path) -> Reviews:
    reviews = Reviews(review)
    if reviews.notice is not None:
        log.warning(reviews.notice)
    return reviews


def _other(path: Path, taxonomy: Sequence[Path], first: Decider) -> Other:
    decider = load_decider(path)
    if set(tasks_of(decider)).isdisjoint(tasks_of(first)):
        raise BundleError(f"{path} decides no task of the served bundle; compare bundles of the same task")
    knowing = decider.knowing(read_taxonomy(taxonomy, decider.curate))
    return Other(knowing, tasks_of(decider), decision_of(decider), facts_of(path, decider))
