"""Watching a forward pass: every place where an activation comes into being, at that very moment."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from invariscope.networks.activations import CANDIDATES, is_rectifier, plain_name, site_of
from invariscope.networks.outputs import logits_of, tensors_of

OUTPUT = "output"


class Event(NamedTuple):
    """An activation that has just been produced.

    Attributes:
        name: of the site.
        kind: "activation", "module", "sum" or "output".
        operation: the class of the module, or the name of the function.
        tensor: the activation itself; what runs next may overwrite it.
        alike: whether what was added, if this is a sum, were two tensors of the sum's own shape.
    """

    name: str
    kind: str
    operation: str
    tensor: Tensor
    alike: bool = True


# May answer with a tensor to go on with in place of the activation.
Reader = Callable[[Event], Tensor | None]
Observer = Callable[[object, Sequence[object], Mapping[str, object], object], None]


class _Pass:
    """The state of one forward pass: which modules are running, and how often each thing has run."""

    def __init__(self, emit: Reader) -> None:
        self._emit, self.reading = emit, False
        self.running: list[str] = []
        self.rectifying = 0
        self.calls: Counter[str] = Counter()

    def begin(self) -> None:
        self.running.clear()
        self.calls.clear()
        self.rectifying = 0

    def emit(self, event: Event) -> Tensor | None:
        # What the reader computes is no part of the network.
        self.reading = True
        try:
            return self._emit(event)
        finally:
            self.reading = False


class _Functions(TorchFunctionMode):
    """Sees every call of a torch function, and tells which are sites."""

    def __init__(self, state: _Pass, wanted: Collection[str] | None, observe: Observer | None) -> None:
        super().__init__()
        self._state, self._wanted, self._observe = state, wanted, observe
        self._names: dict[object, str] = {}

    def __torch_function__(
        self, func: object, types: object, args: Sequence[object] = (), kwargs: Mapping[str, object] | None = None
    ) -> object:
        state, kwargs = self._state, kwargs or {}
        if state.reading or not state.running:
            return func(*args, **kwargs)  # type: ignore[operator]
        name = self._names.get(func)
        if name is None:
            plain = plain_name(func)
            name = self._names[func] = plain if plain in CANDIDATES else ""
        # Asked before the call: an operation in place changes what it was given.
        site = site_of(name, args, kwargs) if name and not state.rectifying else None
        result = func(*args, **kwargs)  # type: ignore[operator]
        if self._observe is not None:
            self._observe(func, args, kwargs, result)
        if site is not None and isinstance(result, Tensor):
            kind, operation = site
            place = ".".join(filter(None, (state.running[-1], f"{operation}()")))
            state.calls[place] += 1
            label = f"{place}#{state.calls[place]}"
            if self._wanted is None or label in self._wanted:
                alike = kind != "sum" or all(term.shape == result.shape for term in _tensors(args, kwargs))
                instead = state.emit(Event(label, kind, operation, result, alike))
                return result if instead is None else instead
        return result


@contextmanager
def watch(
    module: nn.Module,
    emit: Reader,
    names: Collection[str] | None = None,
    observe: Observer | None = None,
) -> Iterator[None]:
    """Within the block, every forward pass of the module tells of each activation as it is produced.

    Names: the path of the module ("layer1.0.relu"), "#2" and on for its second call and later ones, "[0]" for the parts
    of an output that is not one tensor; for a function the path of the innermost running module, the function and the
    number of its call there ("layer1.0.relu()#1"); "output" for what the network answers.

    Args:
        module: the network.
        emit: called with each event; what it computes is not watched, and what it returns, if anything, takes the
            activation's place.
        names: the sites to tell of; None tells of all.
        observe: called after every torch function of the pass with (function, args, kwargs, result).

    Yields:
        Nothing; hooks are gone after the block.
    """
    state = _Pass(emit)
    functions = observe is not None or names is None or any("()" in name for name in names)
    roots = None if names is None else {name.split("#")[0].split("[")[0] for name in names}
    with ExitStack() as stack:
        for path, part in module.named_modules():
            told = path == "" or roots is None or path in roots
            if told or functions:
                hooks = _Part(state, path, part, names if told else ())
                stack.callback(part.register_forward_pre_hook(hooks.before).remove)
                stack.callback(part.register_forward_hook(hooks.after).remove)
        if functions:
            stack.enter_context(_Functions(state, names, observe))
        yield


class _Part:
    """The hooks of one module."""

    def __init__(self, state: _Pass, path: str, part: nn.Module, wanted: Collection[str] | None) -> None:
        self._state, self._path, self._wanted = state, path, wanted
        self._rectifier, self._operation = is_rectifier(part), type(part).__name__

    def before(self, _module: nn.Module, _args: object) -> None:
        if self._path == "":
            self._state.begin()
        self._state.running.append(self._path)
        self._state.rectifying += self._rectifier

    def after(self, _module: nn.Module, _args: object, output: object) -> object:
        state = self._state
        if self._path == "":
            state.running.clear()
            told = self._wanted is None or OUTPUT in self._wanted
            return state.emit(Event(OUTPUT, "output", self._operation, logits_of(output))) if told else None
        state.running.pop()
        state.rectifying -= self._rectifier
        state.calls[self._path] += 1
        label = self._path if state.calls[self._path] == 1 else f"{self._path}#{state.calls[self._path]}"
        replaced = output
        for suffix, tensor in tensors_of(output):
            if self._wanted is None or label + suffix in self._wanted:
                kind = "activation" if self._rectifier else "module"
                instead = state.emit(Event(label + suffix, kind, self._operation, tensor))
                if instead is not None:
                    replaced = _replaced(replaced, tensor, instead)
        return None if replaced is output else replaced


def _tensors(args: Sequence[object], kwargs: Mapping[str, object]) -> list[Tensor]:
    return [term for term in (*args, kwargs.get("other")) if isinstance(term, Tensor)]


def _replaced(output: object, old: Tensor, new: Tensor) -> object:
    return new if output is old else tree_map(lambda leaf: new if leaf is old else leaf, output)
