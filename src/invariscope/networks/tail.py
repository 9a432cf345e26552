"""The rest of a network after one site, to be run again with a changed activation."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from invariscope.core.errors import LayerError
from invariscope.networks.network import as_network, evaluating
from invariscope.networks.outputs import logits_of
from invariscope.networks.program import Program, Recorder
from invariscope.networks.watch import OUTPUT, Event, watch


@dataclass
class Tail:
    """What one forward pass did after a site.

    Args:
        activation: the site's, as it was produced; shape (image, …).
        logits: what the network answered; shape (image, …).
    """

    activation: Tensor
    logits: Tensor
    _program: Program
    _module: nn.Module
    _inputs: tuple[tuple[Any, ...], dict[str, Any]]
    _site: str

    def __call__(self, activation: Float[Tensor, "image ..."]) -> Float[Tensor, "image ..."]:
        """What the network would have answered, had the site produced this activation: exactly.

        Only what depends on the site is computed again. Where the network looks at values to decide what to compute,
        all of it is.

        Args:
            activation: in place of the site's; of the same shape.

        Returns:
            Logits; shape (image, …).
        """
        assert activation.shape == self.activation.shape, "a tail runs on the batch that it was recorded on"
        if not self._program.reads:
            return self._program(activation)
        args, kwargs = self._inputs

        def put(event: Event) -> Tensor | None:
            # A function in place may be called for its effect alone.
            return event.tensor.copy_(activation) if "()" in self._site else activation.clone()

        with torch.no_grad(), evaluating(self._module), watch(self._module, put, {self._site}):
            return logits_of(self._module(*args, **kwargs))


@dataclass
class Recording:
    """The tails of the passes so far.

    Args:
        tails: one per forward pass.
    """

    tails: list[Tail] = field(default_factory=list)


@contextmanager
def record_tail(network: object, site_name: str) -> Iterator[Recording]:
    """Within the block, each forward pass leaves a `Tail`: the network after the site, ready to be run again.

    Args:
        network: a `Network`, or the module that runs.
        site_name: of the site, as `find_sites` names it.

    Yields:
        A recording; its tails hold weights and skipped-over activations, so use and drop them batch by batch.

    Raises:
        LayerError: passes ended, and the site was in none.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(2, 1, bias=False))
        >>> _ = nn.init.constant_(network[2].weight, 2.0)
        >>> with torch.no_grad(), record_tail(network, "1") as recording:
        ...     _ = network(torch.tensor([[[1.0, 3.0]]]))
        >>> recording.tails[0](torch.tensor([[0.0, 3.0]]))
        tensor([[6.]])
    """
    module = as_network(network).module
    recording, recorder = Recording(), Recorder()
    inputs: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    started: list[Tensor] = []
    entered = passes = 0

    def begin(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        started.clear()
        inputs[:] = [(args, kwargs)]

    def enter(_module: nn.Module, _args: object) -> None:
        nonlocal entered
        entered = recorder.clock

    def note(event: Event) -> Tensor | None:
        nonlocal passes
        start, instead = event.tensor, None
        if event.name == site_name:
            # What a module hands through untouched also goes other ways, which are not after the site.
            if "()" not in site_name and recorder.made(start) <= entered:
                start = instead = start.clone()
            started[:] = [start.detach().clone()]
            recorder.begin(start)
        if event.name == OUTPUT:
            passes += 1
            if started:
                program = recorder.finish(start)
                tail = Tail(started[0], start.detach().clone(), program, module, inputs[0], site_name)
                recording.tails.append(tail)
        return instead

    path = site_name.split("#")[0].split("[")[0]
    with ExitStack() as stack:
        stack.callback(module.register_forward_pre_hook(begin, with_kwargs=True).remove)
        for name, part in module.named_modules():
            if name == path:
                stack.callback(part.register_forward_pre_hook(enter).remove)
        stack.enter_context(torch.no_grad())
        stack.enter_context(watch(module, note, {site_name, OUTPUT}))
        stack.enter_context(recorder)
        yield recording
    if passes and not recording.tails:
        raise LayerError(f"the network never ran {site_name!r}, so that there is nothing after it.")
