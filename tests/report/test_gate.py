import pytest

from shopglot.core.errors import RecipeError
from shopglot.report.gate import Gate
from shopglot.report.measure import Difference


def difference(f1: float, low: float, high: float) -> Difference:
    return Difference(f1=f1, interval=(low, high), count=1200)


def test_a_gate_says_what_may_not_get_worse_and_by_how_much() -> None:
    assert Gate.parse("no language worse than -0.005 at 95%") == Gate(
        "no language worse than -0.005 at 95%", "language", -0.005, sure=True
    )
    found = [Gate.parse(text) for text in ("overall not worse than 0", "no  task worse than −.01 F1 at 95 %")]
    assert [(gate.over, gate.least, gate.sure) for gate in found] == [("overall", 0.0, False), ("task", -0.01, True)]


def test_a_slice_is_named_by_its_column_even_with_spaces() -> None:
    assert Gate.parse("no slice seen type worse than -0.02").over == "seen type"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "needs `no language`, `no task`, `no slice COLUMN` or `overall not` at its end"),
        ("no langauge worse than -0.005", "or `overall not` at 'no langauge worse than -0.005'"),
        ("overall worse than 0", "or `overall not` at 'overall worse than 0'"),
        ("no slice worse than 0", "or `overall not` at 'no slice worse than 0'"),
        ("no language better than 0", "needs `worse than` at 'better than 0'"),
        ("no language worse than", "such as -0.005 at its end"),
        ("no language worse than 5%", "such as -0.005 at '5%'"),
        ("no language worse than -5", "from -1 to 1, such as -0.005 at '-5'"),
        ("no language worse than nan", "such as -0.005 at 'nan'"),
        ("no language worse than -0.005 MCC", "`F1` and `at 95%` at 'MCC'"),
        ("no language worse than -0.005 at 99%", "`F1` and `at 95%` at 'at 99%'"),
        ("no languages worse than 0", "at 'no languages worse than 0'"),
    ],
)
def test_what_is_no_gate_is_refused_with_what_was_expected_and_where(text: str, expected: str) -> None:
    with pytest.raises(RecipeError) as refused:
        Gate.parse(text)
    assert expected in str(refused.value)
    assert "write, for example, 'no language worse than -0.005 at 95%'" in str(refused.value)


def test_at_95_percent_the_lower_bound_has_to_hold_and_else_the_difference() -> None:
    found = {"QC fr": difference(0.001, -0.006, 0.01), "QC ja": difference(0.0, -0.004, 0.004)}
    result = Gate.parse("no language worse than -0.005 at 95%").check(found)
    assert not result.holds
    (failure,) = result.failures
    assert (failure.slice, failure.worse) == ("QC fr", False)
    assert failure.by == pytest.approx(0.001)
    assert Gate.parse("no language worse than -0.005").check(found).holds


def test_what_is_exactly_the_least_allowed_holds() -> None:
    found = {"overall": difference(-0.005, -0.005, -0.005)}
    assert Gate.parse("overall not worse than -0.005 at 95%").check(found).holds
    assert not Gate.parse("overall not worse than -0.004 at 95%").check(found).holds


def test_the_slice_furthest_below_comes_first_with_its_figures() -> None:
    found = {"QC fr": difference(-0.02, -0.05, 0.01), "QC ja": difference(-0.1, -0.2, -0.01)}
    first, second = Gate.parse("no language worse than 0 at 95%").check(found).failures
    assert str(first) == "QC ja: worse, −10.0 points (−20.0 to −1.0) on 1,200 pairs, 20.00 points under the gate"
    assert second.slice == "QC fr"
