"""A training of the net that is not finished, on disk: it goes on from its last step, to the same bits."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from invariscope.core.files import whole

SECONDS = 20.0


class Keeper:
    """Keeps the state of one training in one file.

    Whether and when it writes does not change what is learned: images and control parameters follow from the step.

    Args:
        path: NAME.safetensors, replaced as a whole; None keeps nothing.
        settings: all that decides the training, as plain values; a file with others is not gone on with.
        every: steps between two writings; None writes once 20 seconds have passed since the last.
    """

    def __init__(self, path: Path | None, settings: Mapping[str, Any], every: int | None = None) -> None:
        self._path, self._every = path, every
        self._settings = json.loads(json.dumps(settings))
        self._since = time.monotonic()

    def due(self, step: int) -> bool:
        """Whether to write after this step."""
        if self._path is None:
            return False
        return time.monotonic() - self._since >= SECONDS if self._every is None else step % self._every == 0

    def save(self, step: int, state: Mapping[str, Tensor], history: list[dict[str, Any]]) -> None:
        """Write the file.

        Args:
            step: how many steps are done.
            state: all that changes in training.
            history: a row per step.

        Raises:
            StorageError: the file could not be written.
        """
        if self._path is None:
            return
        about = {"settings": self._settings, "step": step, "history": history}
        kept = {name: value.detach().cpu().clone().contiguous() for name, value in state.items()}
        with whole(self._path) as draft:
            save_file(kept, draft, metadata={"learning": json.dumps(about)})
        self._since = time.monotonic()

    def restore(self, state: Mapping[str, Tensor], history: list[dict[str, Any]]) -> int:
        """Write what the file holds into the state and the history.

        Args:
            state: overwritten in place.
            history: overwritten in place.

        Returns:
            How many steps are done; 0 where there is no file of this training.
        """
        kept, about = self._read()
        if not about:
            return 0
        with torch.no_grad():
            for name, value in state.items():
                value.copy_(kept[name])
        history[:] = about["history"]
        return int(about["step"])

    def remove(self) -> None:
        """Everything is finished."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _read(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        if self._path is None or not self._path.is_file():
            return {}, {}
        try:
            with safe_open(self._path, "pt") as file:
                about = json.loads((file.metadata() or {})["learning"])
                if about["settings"] != self._settings:
                    return {}, {}
                return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
        except (SafetensorError, OSError, ValueError, KeyError):
            return {}, {}
