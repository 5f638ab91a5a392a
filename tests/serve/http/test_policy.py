from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.errors import BundleError, DataError
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.policy import InForce, Policies, Policy, Rule, Threshold, Version, folded
from shopglot.serve.http.question import Question, Verdict

PATH = "home,kitchen,pots, pans,wok"


def in_force(**policy: Any) -> InForce:
    return InForce.of(Version(version=1, policy=Policy(**policy)))


def qc(query: str = "wok", target: str = PATH) -> Question:
    return Question("QC", query, target)


@pytest.mark.parametrize(
    ("rule", "blocked"),
    [
        ({"query": "  WOK "}, True),
        ({"query": "pan"}, False),
        ({"target": "Home,Kitchen"}, True),
        ({"target": "home,kitchen,pots, pans"}, True),
        ({"target": "home,kitchen,pots"}, False),
        ({"target": "home,kitch"}, False),
        ({"query": "wok", "target": PATH}, True),
        ({"query": "pan", "target": PATH}, False),
    ],
)
def test_a_rule_names_a_query_a_category_with_those_below_or_both(rule: dict[str, str], blocked: bool) -> None:
    force = in_force(block=[rule])
    assert (force.blocks(qc()), force.allows(qc())) == (blocked, False)
    assert in_force(allow=[rule]).allows(qc()) == blocked


def test_the_commas_of_an_items_title_separate_nothing() -> None:
    assert not in_force(block=[{"target": "wok"}]).blocks(Question("QI", "wok", "wok,black"))


@pytest.mark.parametrize("rule", [{}, {"query": " "}, {"query": "", "target": ""}])
def test_a_rule_without_a_text_is_refused(rule: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="names a query, a target or both"):
        Rule(**rule)


def test_the_narrowest_slice_decides_and_the_bundle_where_there_is_none() -> None:
    slices = [(None, None, 0.1), ("de", None, 0.2), (None, "home", 0.3), ("de", "home", 0.4)]
    thresholds = [
        Threshold(task="QC", language=language, category=category, threshold=threshold)
        for language, category, threshold in slices
    ]
    found = in_force(thresholds=thresholds)

    def threshold(language: str | None, category: str) -> float:
        return found.threshold(qc(), Verdict(0.5, 0.7, language, category=category))[0]

    assert threshold("fr", "food") == threshold(None, "food") == 0.1
    assert (threshold("de", "food"), threshold("fr", "home"), threshold("de", "home")) == (0.2, 0.3, 0.4)
    assert found.threshold(Question("QI", "wok", "wok"), Verdict(0.5, 0.7, "de")) == (0.7, "bundle")


def test_a_policy_is_replaced_and_rolled_back_and_nothing_is_lost(tmp_path: Path) -> None:
    policies = Policies(tmp_path / "policies")
    strict = Policy(thresholds=(Threshold(task="QI", threshold=0.9),), note="strict")
    assert policies.replace(strict, based_on=0).version == 1
    assert policies.roll_back(0, based_on=1).version == 2
    again = Policies(tmp_path / "policies")
    assert again.versions == policies.versions
    assert again.version(1).policy == strict
    assert (again.current.version, again.current.policy.thresholds) == (2, ())
    assert again.current.policy.note == "back to version 0"


def test_of_two_changes_of_one_version_the_second_is_refused() -> None:
    policies = Policies()
    policies.replace(Policy(note="first"), based_on=0)
    with pytest.raises(ServeError, match="version 1 is in force, not 0") as refused:
        policies.replace(Policy(note="second"), based_on=0)
    assert refused.value.status == 409
    assert policies.current.policy.note == "first"


def test_of_two_servers_that_make_the_same_version_the_second_is_refused(tmp_path: Path) -> None:
    one, other = Policies(tmp_path), Policies(tmp_path)
    one.replace(Policy(note="first"), based_on=0)
    with pytest.raises(ServeError, match="another server has made version 1") as refused:
        other.replace(Policy(note="second"), based_on=0)
    assert refused.value.status == 409
    assert other.current.version == 0
    assert Policies(tmp_path).current.policy.note == "first"
    assert [file.name for file in tmp_path.iterdir()] == ["000001.json"]


def test_a_folder_that_is_none_is_refused_at_the_start_and_one_that_fails_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "policies"
    late = Policies(file)
    file.write_text("a file")
    with pytest.raises(ServeError, match="nothing was changed") as refused:
        late.replace(Policy(note="first"), based_on=0)
    assert (refused.value.status, late.current.version) == (503, 0)
    with pytest.raises(DataError, match="is a file; name a folder"):
        Policies(file)


def test_there_is_no_going_back_to_what_never_was() -> None:
    with pytest.raises(ServeError, match="no version 7") as refused:
        Policies().roll_back(7, based_on=0)
    assert refused.value.status == 404


def test_a_damaged_or_missing_version_is_refused_in_one_sentence(tmp_path: Path) -> None:
    policies = Policies(tmp_path)
    for version in (0, 1):
        policies.replace(Policy(), based_on=version)
    first = (tmp_path / "000001.json").read_bytes()
    (tmp_path / "000001.json").write_bytes(first[:20])
    with pytest.raises((BundleError, DataError), match=r"000001\.json is no policy"):
        Policies(tmp_path)
    (tmp_path / "000001.json").unlink()
    with pytest.raises(DataError, match="is not version 1 of the policy"):
        Policies(tmp_path)


@given(st.text(), st.integers(0, 3))
def test_a_text_is_folded_once_and_for_all_whatever_its_spaces(text: str, spaces: int) -> None:
    once = folded(text)
    assert folded(f"{' ' * spaces}{once}{' ' * spaces}") == once
