import numpy as np
import pytest

from shopglot.core.pair import Pair, Task
from shopglot.core.pairs import Pairs
from shopglot.learn.llm_settings import HierarchySettings, LLMSettings, StageSettings
from shopglot.learn.targets import ABSENT, Targets, loss_of, output_names, output_of, targets_of


def category(query: str, path: str, label: int) -> Pair:
    return Pair(task="QC", query=query, target=path, label=label)


TEA = Pairs.of(
    [
        category("tea", "food,tea,green tea", 1),
        category("tea", "food,tea,pots, pans and more", 0),
        category("tea", "food,coffee", 0),
        category("tea", "home,garden", 0),
        category("rope", "home,garden", 0),
        Pair(task="QI", query="tea", target="Green Tea 100 g", label=1),
    ]
)


def said(logits: list[list[float]], wanted: Targets, hierarchy: HierarchySettings | None, outputs: int) -> float:
    import torch
    from transformers.modeling_outputs import SequenceClassifierOutput

    names = ("relevant", *(f"level {number}" for number in range(1, outputs)))
    loss = loss_of(names, hierarchy)(SequenceClassifierOutput(logits=torch.tensor(logits)), torch.tensor(wanted))
    return float(loss)


def test_one_output_answers_for_all_tasks_unless_each_has_its_own() -> None:
    shared, apart = (output_names(LLMSettings(model="m", task_heads=each)) for each in (False, True))
    assert (shared, apart) == (("relevant",), ("QC", "QI"))
    assert [output_of(shared, "QI"), output_of(apart, "QC"), output_of(apart, "QI")] == [0, 0, 1]


def test_the_model_has_outputs_for_the_tasks_that_only_its_stages_train_on() -> None:
    settings = LLMSettings(
        model="m", tasks=("QC",), task_heads=True, stages=(StageSettings(tasks=("QI",)), StageSettings())
    )
    assert output_names(settings) == ("QC", "QI")


@pytest.mark.parametrize("task", ["QC", "QI"])
def test_a_pair_has_a_target_for_its_own_task_alone(task: Task) -> None:
    wanted = targets_of(TEA, ("QC", "QI"))
    own = (TEA["task"] == task).to_numpy()
    column = output_of(("QC", "QI"), task)
    assert np.array_equal(wanted[own, column], TEA.labels[own])
    assert (wanted[~own, column] == ABSENT).all()


def test_what_lies_above_a_relevant_category_is_relevant_and_what_lies_elsewhere_is_not() -> None:
    wanted = targets_of(TEA, ("relevant", "level 1", "level 2"))
    assert wanted[:4, 1].tolist() == [1, 1, 1, 0]
    assert wanted[:4, 2].tolist() == [1, 1, 0, 0]


def test_nothing_is_said_of_levels_where_nothing_relevant_is_known_or_there_is_no_such_level() -> None:
    wanted = targets_of(TEA, ("relevant", "level 1", "level 3"))
    assert wanted[4, 1] == ABSENT
    assert wanted[2, 2] == ABSENT
    assert (wanted[5, 1:] == ABSENT).all()


def test_smoothing_moves_labels_inwards_and_leaves_what_is_absent() -> None:
    smooth = targets_of(TEA, ("QC", "QI"), smoothing=0.1)
    assert np.unique(smooth).tolist() == pytest.approx([ABSENT, 0.1, 0.9])


def test_the_loss_is_the_mean_cross_entropy_of_the_targets_that_are_there() -> None:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as oracle

    wanted = np.array([[1.0, ABSENT], [0.0, 1.0]], dtype=np.float32)
    expected = oracle(torch.tensor([0.3, -2.0, 0.5]), torch.tensor([1.0, 0.0, 1.0]))
    assert said([[0.3, 9.0], [-2.0, 0.5]], wanted, None, 2) == pytest.approx(float(expected))


def test_a_child_more_relevant_than_its_parent_costs_what_it_is_too_sure_of() -> None:
    wanted = np.array([[1.0, 1.0]], dtype=np.float32)
    free, strict = (HierarchySettings(consistency=weight) for weight in (0.0, 1.0))
    odds = [[2.0, -1.0]]
    surplus = 1 / (1 + np.exp(-2.0)) - 1 / (1 + np.exp(1.0))
    assert said(odds, wanted, strict, 2) - said(odds, wanted, free, 2) == pytest.approx(surplus / 2, abs=1e-6)
    agreeing = [[-1.0, 2.0]]
    assert said(agreeing, wanted, strict, 2) == pytest.approx(said(agreeing, wanted, free, 2))
