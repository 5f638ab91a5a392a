import pytest
from pydantic import ValidationError

from shopglot.enrich.settings import EnrichSettings, MakeSettings


def test_nothing_is_made_and_nothing_dropped_unless_asked_for() -> None:
    settings = EnrichSettings().model_dump()
    shares = [value for value in settings["make"].values() if isinstance(value, float)]
    assert len(shares) == 8
    assert {*shares, settings["translation_dropout"], settings["make"]["translated"]["share"]} == {0.0}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"typos": -0.1}, "greater than or equal to 0"),
        ({"typos": 1.1}, "less than or equal to 1"),
        ({"typo": 0.1}, "not permitted"),
        ({"translated": {"share": 0.1}}, "name the languages"),
        ({"translated": {"languages": ["pl", "pl"]}}, "stands twice"),
        ({"translated": {"languages": ["Polish"]}}, "match pattern"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        MakeSettings.model_validate(wrong)
