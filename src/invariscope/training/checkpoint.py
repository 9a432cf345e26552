"""A training that is not finished, on disk: it goes on from its last epoch, to the same bits."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from invariscope.core.errors import SettingError
from invariscope.core.files import whole
from invariscope.training.descent import Descent
from invariscope.training.paradigm import Sampler
from invariscope.training.precision import Arithmetic

SECONDS = 20.0


@dataclass
class Keeper:
    """Keeps the state of one training in one file: weights, momentum, random generators, and what was found.

    Whether and when it writes does not change the network.

    Args:
        path: NAME.safetensors, replaced as a whole; None keeps nothing.
        settings: all that decides the training; a file with others is not gone on with.
        every: epochs between two writings; None writes after an epoch once 20 seconds have passed since the last.
        history: what was found after each epoch, kept and restored with the rest.

    Raises:
        SettingError: `every` is less than one epoch.
    """

    path: Path | None
    settings: Mapping[str, Any]
    every: int | None = None
    history: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.every is not None and self.every < 1:
            raise SettingError(f"a checkpoint is written every 1 or more epochs; got {self.every}.")
        self._since = time.monotonic()
        self._kept, self._about = self._read()

    @property
    def stage(self) -> str | None:
        """The step of the training that the file belongs to; None without a file."""
        return self._about.get("stage")

    def due(self, epoch: int) -> bool:
        """Whether to write after this epoch."""
        if self.path is None:
            return False
        return time.monotonic() - self._since >= SECONDS if self.every is None else epoch % self.every == 0

    def save(self, stage: str, epoch: int, state: "State") -> None:
        """Write the file.

        Args:
            stage: the step of the training.
            epoch: how many epochs of it are done.
            state: all that changes in training.

        Raises:
            StorageError: the file could not be written.
        """
        assert self.path is not None
        about = {
            "settings": self.settings,
            "stage": stage,
            "epoch": epoch,
            "history": self.history,
            "scaler": state.arithmetic.state(),
        }
        with whole(self.path) as draft:
            save_file(state.tensors(), draft, metadata={"training": json.dumps(about)})
        self._since = time.monotonic()

    def restore(self, stage: str, state: "State") -> int:
        """Put the file's state into a training that begins this step.

        Args:
            stage: the step of the training.
            state: what is overwritten.

        Returns:
            How many epochs of the step are done; 0 where the file is not of this step.
        """
        if self.stage != stage:
            return 0
        state.load(self._kept)
        state.arithmetic.restore(self._about["scaler"])
        self.history[:] = self._about["history"]
        return int(self._about["epoch"])

    def remove(self) -> None:
        """The training is finished."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _read(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        if self.path is None or not self.path.is_file():
            return {}, {}
        try:
            with safe_open(self.path, "pt") as file:
                about = json.loads((file.metadata() or {})["training"])
                if about["settings"] != json.loads(json.dumps(self.settings)):
                    return {}, {}
                return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
        except (SafetensorError, OSError, ValueError, KeyError):
            return {}, {}


@dataclass
class State:
    """All that changes while a network is trained.

    Args:
        module: its parameters and buffers.
        descent: its momentum.
        sampler: which images come next.
        arithmetic: the scale of the loss, where it has one.
        device: whose generator serves dropout, beside the CPU's.
    """

    module: nn.Module
    descent: Descent
    sampler: Sampler
    arithmetic: Arithmetic
    device: torch.device

    def tensors(self) -> dict[str, Tensor]:
        """Copies of everything, by name, on the CPU."""
        draws = {f"sampler/{name}": value for name, value in self.sampler.state().items()}
        return {name: value.detach().cpu().clone().contiguous() for name, value in (self._live() | draws).items()} | (
            self._generators()
        )

    def load(self, kept: Mapping[str, Tensor]) -> None:
        """Overwrite everything, in place."""
        with torch.no_grad():
            for name, value in self._live().items():
                value.copy_(kept[name])
        self.sampler.restore({name: kept[f"sampler/{name}"] for name in self.sampler.state()})
        torch.default_generator.set_state(kept["generator/cpu"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(kept["generator/cuda"], self.device)

    def _live(self) -> dict[str, Tensor]:
        parts = {f"weights/{name}": value.data for name, value in self.module.named_parameters()}
        parts |= {f"buffers/{name}": value for name, value in self.module.named_buffers()}
        return parts | {f"momentum/{place}": value for place, value in enumerate(self.descent.velocity)}

    def _generators(self) -> dict[str, Tensor]:
        states = {"generator/cpu": torch.default_generator.get_state()}
        if self.device.type == "cuda":
            states["generator/cuda"] = torch.cuda.get_rng_state(self.device)
        return states
