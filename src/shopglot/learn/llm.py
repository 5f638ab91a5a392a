"""Fine-tuning of language models, whole or by LoRA, in stages, in one process or many."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.format.template import Template
from shopglot.learn.launch import launch
from shopglot.learn.llm_scorer import LLMScorer
from shopglot.learn.llm_settings import LLMSettings
from shopglot.learn.stages import stage_folders, train_stages


@dataclass(frozen=True, eq=False, slots=True)
class LLMLearner:
    """Fine-tunes a language model on pairs with the Hugging Face Trainer and peft."""

    settings: LLMSettings
    template: Template
    _free: "SimpleQueue[str]" = field(default_factory=SimpleQueue, init=False, repr=False)

    def __post_init__(self) -> None:
        """Note the groups of devices that are free."""
        for devices in self.settings.launch.devices:
            self._free.put(devices)

    @property
    def name(self) -> str:
        """The name its scores are kept under."""
        return self.settings.name

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks it scores."""
        return self.settings.tasks

    def fit(self, train: Pairs, work: Path) -> LLMScorer:
        """Return the trained scorer; a killed run goes on from the last checkpoint in `work`."""
        if self.settings.launch.alone:
            train_stages(self.settings, self.template, train, work)
        else:
            with self._devices() as devices:
                launch(self.settings, self.template, train, work, devices)
        return LLMScorer.load(stage_folders(self.settings, work)[-1])

    @contextmanager
    def _devices(self) -> Iterator[str | None]:
        """Give a group of devices that no other fold trains on at the time, where the recipe names groups."""
        if not self.settings.launch.devices:
            yield None
            return
        devices = self._free.get()
        try:
            yield devices
        finally:
            self._free.put(devices)
