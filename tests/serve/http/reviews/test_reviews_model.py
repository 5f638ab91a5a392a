"""The store beside a plain dictionary: whatever two people do, in two processes' worth of connections."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shopglot.serve.http.reviews.reviews import LEASE_SECONDS, Reviews
from shopglot.serve.http.reviews.state import CHOICES, Choice, Conflict
from tests.serve.review_files import review_file, suspects

PERSONS = ("ana", "ben")
PAIRS = 5

persons, pairs, connections = st.sampled_from(PERSONS), st.integers(0, PAIRS - 1), st.integers(0, 1)


@dataclass(frozen=True)
class Row:
    """One decision as the model keeps it; `standing` is what the pair was left with."""

    pair: int
    person: str
    standing: tuple[str | None, str, str]
    undo: bool = False


class TwoPeople(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(mkdtemp())
        review_file(self.folder / "review.csv", suspects(PAIRS))
        self.now = 1_800_000_000.0
        self.open = [self.opened(), self.opened()]
        self.keys = [each.key for each in self.open[0].file.suspects]
        self.rows: list[Row] = []
        self.leases: dict[int, tuple[str, float]] = {}

    def opened(self) -> Reviews:
        return Reviews(self.folder / "review.csv", lambda: self.now)

    def teardown(self) -> None:
        for reviews in self.open:
            reviews.close()
        shutil.rmtree(self.folder)

    def versions(self, pair: int) -> list[Row]:
        return [row for row in self.rows if row.pair == pair]

    def stands(self, pair: int) -> tuple[str | None, str, str]:
        rows = self.versions(pair)
        return rows[-1].standing if rows else (None, "", "")

    def leased_to(self, pair: int) -> str | None:
        person, until = self.leases.get(pair, ("", 0.0))
        return person if until > self.now else None

    def keep_for(self, pair: int, person: str) -> None:
        if self.leased_to(pair) in (None, person):
            self.leases[pair] = (person, self.now + LEASE_SECONDS)

    @rule(at=connections, person=persons, pair=pairs, choice=st.sampled_from(CHOICES), note=st.text(max_size=2))
    def decide(self, at: int, person: str, pair: int, choice: Choice, note: str) -> None:
        seen = self.open[at].find(self.keys[pair]).state
        self.open[at].decide(self.keys[pair], choice, person, version=seen.version, note=note)
        self.rows.append(Row(pair, person, (choice, note, person)))
        self.leases.pop(pair, None)

    @rule(at=connections, person=persons, pair=pairs, behind=st.integers(1, 3))
    def decide_too_late(self, at: int, person: str, pair: int, behind: int) -> None:
        with pytest.raises(Conflict) as refused:
            self.open[at].decide(
                self.keys[pair], "keep", person, version=len(self.versions(pair)) - behind, note="late"
            )
        assert refused.value.reviewed.state.choice == self.stands(pair)[0]

    @rule(at=connections, person=persons)
    def undo(self, at: int, person: str) -> None:
        own = [row for row in self.rows if row.person == person and not row.undo and row is self.versions(row.pair)[-1]]
        undone = self.open[at].undo(person)
        assert (undone is None) == (not own)
        if undone is not None:
            pair, before = own[-1].pair, self.versions(own[-1].pair)[:-1]
            assert undone.suspect.key == self.keys[pair]
            self.rows.append(Row(pair, person, before[-1].standing if before else (None, "", ""), undo=True))
            self.leases.pop(pair, None)
            self.keep_for(pair, person)

    @rule(at=connections, person=persons, count=st.integers(0, PAIRS), held=st.sets(pairs, max_size=2))
    def deal(self, at: int, person: str, count: int, held: set[int]) -> None:
        free = [
            pair
            for pair in range(PAIRS)
            if self.stands(pair)[0] is None and pair not in held and self.leased_to(pair) in (None, person)
        ]
        dealt = self.open[at].deal(person, count=count, held=[self.keys[pair] for pair in held])
        assert [each.suspect.key for each in dealt] == [self.keys[pair] for pair in free[:count]]
        for pair in (*held, *free[:count]):
            self.keep_for(pair, person)

    @rule(seconds=st.sampled_from([1.0, LEASE_SECONDS / 2, LEASE_SECONDS]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(at=connections)
    def reopen(self, at: int) -> None:
        self.open[at].close()
        self.open[at] = self.opened()
        assert self.open[at].notice is None

    @invariant()
    def both_see_what_stands(self) -> None:
        expected = {pair: self.stands(pair) for pair in range(PAIRS)}
        for reviews in self.open:
            found = {pair: reviews.find(self.keys[pair]).state for pair in range(PAIRS)}
            assert {pair: len(self.versions(pair)) for pair in expected} == {
                n: each.version for n, each in found.items()
            }
            assert _chosen(expected) == {
                pair: (each.choice, each.note, each.person) for pair, each in found.items() if each.choice is not None
            }
            assert {each.suspect.key for each in reviews.decided()} == {self.keys[pair] for pair in _chosen(expected)}
            assert reviews.progress().left == PAIRS - len(_chosen(expected))


def _chosen(stands: Mapping[int, tuple[str | None, str, str]]) -> dict[int, tuple[str | None, str, str]]:
    return {pair: each for pair, each in stands.items() if each[0] is not None}


TestTwoPeople = TwoPeople.TestCase
TestTwoPeople.settings = settings(max_examples=10, stateful_step_count=25, deadline=None)
