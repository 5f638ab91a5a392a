import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from starlette.testclient import TestClient

from shopglot.curate.corrections import correct
from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.reviews.reviews import Reviews
from shopglot.serve.http.security import Key, Keys
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import SharedWords
from tests.serve.keys import READER, digest
from tests.serve.review_files import review_file, suspects


@pytest.fixture
def review(tmp_path: Path) -> Path:
    return review_file(tmp_path / "review.csv")


class Visit(Protocol):
    """How a person comes to a server with the review file: with a name, with a key, or with neither."""

    def __call__(self, name: str | None = None, keys: Keys | None = None) -> TestClient: ...


@pytest.fixture
def visit(review: Path) -> Iterator[Visit]:
    with ExitStack() as servers:

        def visited(name: str | None = None, keys: Keys | None = None) -> TestClient:
            reviews = servers.enter_context(Reviews(review))
            person = TestClient(create_app(SharedWords(), FEW_LANGUAGES, Extras(keys=keys, reviews=reviews)))
            if name is not None:
                assert person.post("/review/name", data={"name": name}).status_code == 200
            return person

        yield visited


@pytest.fixture
def ana(visit: Visit) -> TestClient:
    """A browser without scripts, which follows where it is led."""
    return visit("Ana")


def fields(page: str) -> dict[str, str]:
    """Return the hidden fields of the form, without those of the pair that is kept for later."""
    form = page.partition('id="decide"')[2].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))


def choose(person: TestClient, page: str, choice: str, note: str = "", status: int = 200) -> str:
    answer = person.post("/review", data={**fields(page), "choice": choice, "note": note})
    assert answer.status_code == status
    return answer.text


def test_labels_are_reviewed_one_after_the_other_by_plain_forms(ana: TestClient) -> None:
    page, seen = ana.get("/review").text, []
    for choice in ("keep", "flip", "drop", "skip"):
        seen.append(fields(page)["pair"])
        page = choose(ana, page, choice)
    assert len(set(seen)) == 4
    assert "<strong>3</strong> of 8 reviewed" in page
    assert "1 skipped" in page
    for _ in range(4):
        page = choose(ana, page, "keep")
    assert "All labels are reviewed" in page
    counts = correct(suspects(), [exported(ana)])[1]
    assert counts == {"confirmed": 5, "relabelled": 1, "dropped": 1, "reweighted": 0}


def exported(person: TestClient) -> Path:
    answer = person.get("/review/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="review.reviewed.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    reviews: Reviews = person.app.state.service.reviews  # type: ignore[attr-defined]
    path = reviews.path.with_name("exported.csv")
    path.write_bytes(answer.content)
    return path


def test_a_pair_is_shown_with_its_language_label_and_evidence(ana: TestClient) -> None:
    page = choose(ana, ana.get("/review").text, "keep")
    assert '<dd class="asked" dir="auto" lang="ar">شاي أخضر</dd>' in page
    assert '<dd class="english" lang="en">green tea</dd>' in page
    assert "Arabic" in page
    assert re.search(r"<span>food, drinks <.*<span>tea <.*<strong>green tea</strong></bdi>", page)
    shown = page.partition('id="pair"')[2].partition("</form>")[0]
    assert 'data-label="1"' in shown
    assert re.search(r"Chance that the label is right</span> <strong>12 %", shown)
    assert "the models, which never saw the pair, give “relevant” 10 %" in shown
    assert "QC-9 has the same query and target" in shown


def test_the_next_pair_is_in_the_page_already(ana: TestClient) -> None:
    page = ana.get("/review").text
    upcoming = page.partition('<template id="upcoming">')[2].partition("</template>")[0]
    after = choose(ana, page, "keep")
    assert f'value="{fields(after)["pair"]}"' in upcoming
    assert fields(page)["held"] == fields(after)["pair"]


def test_nothing_is_reviewed_without_a_name(visit: Visit) -> None:
    stranger = visit()
    assert "Your name" in stranger.get("/review").text
    for name in ("", "  ", "a" * 41, "a\x00b"):
        answer = stranger.post("/review/name", data={"name": name})
        assert (answer.status_code, "set-cookie" in answer.headers) == (422, False)
    assert "Your name" in stranger.post("/review", data={"choice": "keep"}).text
    assert "Your name" in stranger.post("/review/undo").text
    stranger.post("/review/name", data={"name": " 花子  <b> "})
    assert 'You review as <span dir="auto">花子 &lt;b&gt;</span>' in stranger.get("/review").text


def test_the_holder_of_a_key_reviews_under_its_name(visit: Visit) -> None:
    person = visit(keys=Keys((Key("quality-team", digest(READER)),)))
    assert person.get("/review", follow_redirects=False).headers["location"] == "/sign-in?next=/review"
    person.cookies.set("shopglot-reviewer", "Ana")
    page = person.post("/sign-in", data={"key": READER, "next": "/review"}).text
    assert '<span dir="auto">quality-team</span> <strong>1</strong>' in choose(person, page, "keep")


def test_two_people_are_shown_different_pairs(ana: TestClient, visit: Visit) -> None:
    ben = visit("Ben")
    of_ana, of_ben = (fields(person.get("/review").text) for person in (ana, ben))
    assert not {of_ana["pair"], of_ana["held"]} & {of_ben["pair"], of_ben["held"]}


def test_who_comes_too_late_is_told_what_the_other_decided_and_may_decide_again(ana: TestClient, visit: Visit) -> None:
    page, ben = ana.get("/review").text, visit("Ben")
    choose(ben, ben.get(f"/review?pair={fields(page)['pair']}").text, "flip", note="it fits <b>")
    conflict = choose(ana, page, "keep", note="mine", status=409)
    assert '<strong>Flipped</strong> by <span dir="auto">Ben</span>' in conflict
    assert "it fits &lt;b&gt;" in conflict
    assert "you kept it" in conflict
    assert ">mine</textarea>" in conflict
    assert fields(conflict)["pair"] == fields(page)["pair"]
    choose(ana, conflict, "keep", note="mine")
    assert 'by <span dir="auto">Ana</span>' in ana.get(f"/review?pair={fields(page)['pair']}").text


def test_a_pair_that_was_kept_for_later_and_is_decided_by_then_is_passed_over(ana: TestClient, visit: Visit) -> None:
    page, ben = ana.get("/review").text, visit("Ben")
    held = fields(page)["held"]
    choose(ben, ben.get(f"/review?pair={held}").text, "flip")
    after = choose(ana, page, "keep")
    assert fields(after)["pair"] not in {held, fields(page)["pair"]}
    assert fields(after)["version"] == "0"


def test_undo_shows_the_pair_again_and_goes_on_with_the_one_it_left(ana: TestClient) -> None:
    first = ana.get("/review").text
    second = choose(ana, first, "flip")
    undone = ana.post("/review/undo").text
    assert fields(undone)["pair"] == fields(first)["pair"]
    assert fields(undone)["held"] == fields(second)["pair"]
    assert "<strong>0</strong> of 8 reviewed" in undone
    assert fields(ana.post("/review/undo").text)["pair"] == fields(first)["pair"]


def test_what_was_decided_is_listed_filtered_and_changed(ana: TestClient, visit: Visit) -> None:
    page = ana.get("/review").text
    for choice in ("keep", "flip", "flip"):
        page = choose(ana, page, choice, note="Straße & co" if choice == "keep" else "")
    ben = visit("Ben")
    choose(ben, ben.get("/review").text, "drop")
    asked = ana.get("/review/decided").text
    assert re.findall(r"<strong>(\w+)</strong> by", asked) == ["Dropped", "Flipped", "Flipped", "Kept"]
    for query, count in (
        ("choice=flip", 2),
        ("person=Ben", 1),
        ("text=STRASSE", 1),
        ("text=%E7%B7%91", 1),
        ("choice=x", 0),
    ):
        assert f">{count} decisions" in ana.get(f"/review/decided?{query}").text, query
    change = re.findall(r'href="(/review\?pair=\w+&amp;back=decided)"', asked)[-1].replace("&amp;", "&")
    assert ">Straße &amp; co</textarea>" in ana.get(change).text  # so that it is not lost
    listed = choose(ana, ana.get(change).text, "skip")
    assert "What was decided" in listed
    assert re.findall(r"<strong>(\w+)</strong> by", listed)[0] == "Skipped"


def test_a_long_list_is_shown_in_parts(review: Path, visit: Visit) -> None:
    review_file(review, suspects(120))
    with Reviews(review) as reviews:
        for each in reviews.deal("Ana", count=120):
            reviews.decide(each.suspect.key, "keep", "Ana", version=0)
    ana = visit("Ana")
    for start, shown in (
        (0, "1 to 50"),
        (50, "51 to 100"),
        (100, "101 to 120"),
        (10**9, "101 to 120"),
        (-5, "1 to 50"),
    ):
        assert f"120 decisions, {shown} shown" in ana.get(f"/review/decided?start={start}").text


def test_the_last_pairs_may_be_with_somebody_else(review: Path, visit: Visit) -> None:
    review_file(review, suspects(2))
    visit("Ben").get("/review")
    page = visit("Ana").get("/review").text
    assert "Nothing is left for you right now" in page
    assert "before Ben" in page


def test_a_changed_review_file_is_said_on_the_page(ana: TestClient, review: Path, visit: Visit) -> None:
    choose(ana, ana.get("/review").text, "keep")
    review_file(review, suspects().filter(suspects()["id"] != "QC-0"))
    assert "does not hold 1 of the 1 decided pairs" in visit("Ana").get("/review").text


@pytest.mark.parametrize(
    "form",
    [
        {"choice": "weight 0.3", "version": "0"},
        {"choice": "keep", "version": "-1"},
        {"choice": "keep", "version": "²"},
        {"choice": "keep", "version": "9" * 5000},
        {"choice": "keep", "version": "0", "note": "a" * 1001},
        {},
    ],
)
def test_a_form_that_the_page_does_not_send_is_refused(ana: TestClient, form: dict[str, str]) -> None:
    answer = ana.post("/review", data={"pair": fields(ana.get("/review").text)["pair"], **form})
    assert answer.status_code == 422
    assert "This cannot be shown" in answer.text


def test_a_pair_that_the_file_lacks_is_not_found(ana: TestClient) -> None:
    assert ana.get("/review?pair=x").status_code == 404
    assert ana.post("/review", data={"pair": "x", "choice": "keep", "version": "0"}).status_code == 404


def test_what_cannot_be_saved_is_said_and_the_page_stays(ana: TestClient) -> None:
    page = ana.get("/review").text
    reviews: Reviews = ana.app.state.service.reviews  # type: ignore[attr-defined]
    pages = reviews._connection.execute("PRAGMA page_count").fetchone()[0]
    reviews._connection.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(40):
        answer = ana.post("/review", data={**fields(page), "choice": "keep", "note": f"{number} " * 200})
        if answer.status_code != 200:
            break
        page = answer.text if 'id="decide"' in answer.text else ana.get(f"/review?pair={fields(page)['pair']}").text
    assert answer.status_code == 503
    assert "The reviews could not be saved (database or disk is full); nothing was changed." in answer.text


def test_another_site_can_decide_nothing(ana: TestClient) -> None:
    form = {**fields(ana.get("/review").text), "choice": "flip"}
    for path in ("/review", "/review/undo", "/review/name"):
        assert ana.post(path, data=form, headers={"origin": "http://elsewhere.example"}).status_code == 403
    assert "<strong>0</strong> of 8 reviewed" in ana.get("/review").text


def test_a_server_without_a_review_file_has_no_such_page(client: TestClient) -> None:
    assert "/review" not in client.get("/try").text
    for path in ("/review", "/review/decided", "/review/export"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "text/html" in answer.headers["content-type"]


def test_machines_are_not_told_of_it(ana: TestClient) -> None:
    assert not [path for path in ana.get("/openapi.json").json()["paths"] if path.startswith(("/review", "/report"))]


def test_the_reviews_are_closed_with_the_server(ana: TestClient, review: Path) -> None:
    with ana:
        ana.get("/review")
    assert not review.with_name("review.sqlite3-wal").exists()
