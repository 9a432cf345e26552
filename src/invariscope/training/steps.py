"""Training at once, or in two steps: first the seen classes, then the others."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor, nn

from invariscope.core.errors import NetworkError, SettingError
from invariscope.networks.network import Network
from invariscope.training.paradigm import generator

MODES = ("joint", "two-step-finetune", "two-step-classifier")


@dataclass(frozen=True)
class Step:
    """A part of a training, with a whole schedule of its own.

    Args:
        name: "joint", "seen" or "unseen".
        classes: those whose images are shown; None is all.
        outputs: those that compete in the loss; None is all.
        freezes: everything but the rows of `classes` in the last layer stays as it is, statistics of normalisation
            included.
    """

    name: str
    classes: tuple[int, ...] | None = None
    outputs: tuple[int, ...] | None = None
    freezes: bool = False

    @property
    def purpose(self) -> str:
        """Distinguishes the draws of a second step."""
        return "/unseen" if self.name == "unseen" else ""

    def seed(self, seed: int) -> int:
        """The seed of what draws inside the network."""
        return generator(seed, f"inside{self.purpose}").initial_seed() if self.purpose else seed

    def targets(self, labels: Int[Tensor, " image"]) -> Int[Tensor, " image"]:
        """Labels as places among the outputs that compete."""
        if self.outputs is None:
            return labels
        place = torch.full((int(labels.max()) + 1,), -100)
        chosen = torch.tensor([output for output in self.outputs if output < len(place)])
        place[chosen] = torch.arange(len(chosen))
        return place[labels]


JOINT = Step("joint")


def steps_of(mode: str, seen: tuple[int, ...], n_classes: int) -> tuple[Step, ...]:
    """The steps of a mode.

    Args:
        mode: "joint", "two-step-finetune" or "two-step-classifier".
        seen: the classes that are seen transformed.
        n_classes: how many classes there are.

    Returns:
        One step, or two: in the first only seen classes are shown, in the second only the others, never transformed.
        In each only the outputs of its own classes compete: outputs of classes that are not shown would fall with
        every image, and the last layer alone would forget them.

    Raises:
        SettingError: there is no such mode, or a step would have no class.

    Example:
        >>> [step.name for step in steps_of("two-step-finetune", (0, 2), 3)]
        ['seen', 'unseen']

    Source: Jang et al., appendix C.
    """
    if mode not in MODES:
        raise SettingError(f"the mode of training is one of {', '.join(MODES)}; got {mode!r}.")
    if mode == "joint":
        return (JOINT,)
    if not 0 < len(seen) < n_classes:
        raise SettingError(
            f"a training in two steps needs seen and unseen classes; got k = {len(seen)} of {n_classes}."
        )
    unseen = tuple(label for label in range(n_classes) if label not in seen)
    return Step("seen", seen, seen), Step("unseen", unseen, unseen, mode == "two-step-classifier")


@dataclass
class Readout:
    """The last layer of a network, of which only some rows learn.

    Args:
        parameters: its weights, and its biases where it has some.
        kept: places of the rows that stay.
    """

    parameters: tuple[nn.Parameter, ...]
    kept: Int[Tensor, " row"]
    values: tuple[Tensor, ...] = ()

    def hold(self) -> None:
        """Remember the rows that stay, as they are now."""
        self.values = tuple(parameter.detach()[self.kept].clone() for parameter in self.parameters)

    @torch.no_grad()
    def put_back(self) -> None:
        """Undo what a step did to the rows that stay."""
        for parameter, values in zip(self.parameters, self.values, strict=True):
            parameter[self.kept] = values


def readout(network: Network, step: Step) -> Readout:
    """Freeze a network but for the rows of a step's classes in its last layer.

    Args:
        network: every other weight no longer asks for gradients.
        step: whose classes learn.

    Raises:
        NetworkError: no linear layer of the network is its last.
    """
    assert step.classes is not None
    layers = [part for part in network.module.modules() if any(True for _ in part.parameters(recurse=False))]
    if not layers or not isinstance(layers[-1], nn.Linear) or layers[-1].out_features <= max(step.classes):
        raise NetworkError(
            f"{network.spec} does not end in a linear layer with an output per class; use two-step-finetune."
        )
    parameters = tuple(layers[-1].parameters(recurse=False))
    network.module.requires_grad_(False)
    for parameter in parameters:
        parameter.requires_grad_(True)
    rows = [row for row in range(layers[-1].out_features) if row not in step.classes]
    return Readout(parameters, torch.tensor(rows, device=network.device))
