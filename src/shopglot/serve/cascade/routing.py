"""The routing file: which bundles a cascade asks, which pairs each of them passes on, and what that was worth."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shopglot.core.errors import BundleError
from shopglot.core.files import read_json, sha256, write_json
from shopglot.pack.bundle import load
from shopglot.serve.cascade.cascade import Cascade, Cost, Stage, Unsure

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"


class RoutedStage(BaseModel):
    """One stage: its bundle, and the probabilities that it passes on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="What scored files call it.")
    bundle: str = Field(description="The bundle's folder, seen from that of the routing file.")
    manifest: str = Field(description="The SHA-256 of the bundle's manifest, which holds that of every other file.")
    unsure: Unsure = Field(
        description="Per task that it reads the probabilities, ends included, that it passes on; null: none of them."
    )
    seconds_per_pair: float = Field(ge=0, description="What a pair cost whose texts were seen before.")
    seconds_per_text: float = Field(ge=0, description="What a distinct query or target cost besides.")
    seconds_per_call: float = Field(0.0, ge=0, description="What it took to ask of one pair.")

    @field_validator("unsure")
    @classmethod
    def _bands_of_probabilities(cls, unsure: Unsure) -> Unsure:
        bands = [band for band in unsure.values() if band is not None]
        if not unsure or not all(0 <= band.low <= band.high <= 1 for band in bands):
            raise ValueError("a stage reads at least one task, and passes on from a probability to a higher one")
        return unsure


class Routing(BaseModel):
    """A cascade as a file; bundles are named by relative paths, so that they can move together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(FORMAT, ge=1, description="The version of this file's format.")
    stages: tuple[RoutedStage, ...] = Field(min_length=1, description="From the cheapest to the dearest.")
    expected: Mapping[str, float] = Field(
        default_factory=dict, description="F1 and cost that the budget expected, on pairs no stage learned from."
    )
    machine: str = Field("", description="The processor that the costs were measured on.")

    def save(self, path: Path) -> None:
        """Write the routing file, whole or not at all."""
        write_json(path, self.model_dump(mode="json"))

    @classmethod
    def read(cls, path: Path) -> "Routing":
        """Return what `save` wrote; raises BundleError for anything else, and for a newer format."""
        try:
            held = read_json(path)
            written = held.get("format", 0) if isinstance(held, dict) else 0
            if isinstance(written, int) and written > FORMAT:
                raise BundleError(
                    f"{path} has routing format {written}, this version reads up to {FORMAT}; upgrade shopglot"
                )
            return cls.model_validate(held)
        except (RecursionError, UnicodeDecodeError, ValidationError, ValueError) as reason:
            raise BundleError(f"{path} is no routing file; name one that `shopglot budget` wrote") from reason


def routed_stage(name: str, bundle: Path, routing: Path, unsure: Unsure, cost: Cost) -> RoutedStage:
    """Return the stage of the bundle in a folder, for a routing file at `routing`."""
    return RoutedStage(
        name=name,
        bundle=_relative(bundle, routing.parent),
        manifest=sha256(bundle / MANIFEST),
        unsure=unsure,
        seconds_per_pair=cost.pair,
        seconds_per_text=cost.text,
        seconds_per_call=cost.call,
    )


def load_cascade(path: Path) -> Cascade:
    """Return the cascade of a routing file; raises BundleError where a bundle is absent or another one by now."""
    routing = Routing.read(path)
    return Cascade(tuple(_stage(each, path) for each in routing.stages))


def _stage(routed: RoutedStage, path: Path) -> Stage:
    cost = Cost(routed.seconds_per_pair, routed.seconds_per_text, routed.seconds_per_call)
    return Stage(routed.name, load(_checked(routed, path)), routed.unsure, cost)


def _checked(stage: RoutedStage, path: Path) -> Path:
    folder = path.parent / stage.bundle
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise BundleError(f"{path} routes to {folder}, which is no bundle; put it back, or run `shopglot budget` again")
    if sha256(manifest) != stage.manifest:
        raise BundleError(f"{folder} is another bundle than {path} was measured with; run `shopglot budget` again")
    return folder


def _relative(path: Path, start: Path) -> str:
    """Return the way from a folder to a path, with `/` on every system."""
    return Path(os.path.relpath(path.resolve(), start.resolve())).as_posix()
