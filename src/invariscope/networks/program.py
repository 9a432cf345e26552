"""Operations on tensors, recorded as they ran, to be run again from another value of one of the tensors."""

from collections import defaultdict
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten
from torch.utils.weak import WeakTensorKeyDictionary

# These hand a number to Python, which may branch on it: what follows cannot be foreseen for another value.
_READS = {"_local_scalar_dense", "is_nonzero", "equal", "item", "nonzero", "masked_select", "_unique2"}


@dataclass(frozen=True)
class Slot:
    """Stands for a tensor that is computed when the program runs."""

    number: int


@dataclass(frozen=True)
class Held:
    """Stands for a tensor that does not depend on the start."""

    number: int


@dataclass
class Program:
    """What was recorded; call it with the value to start from.

    Args:
        start: shape and strides of the first slot.
        steps: operation, its arguments as leaves and structure, and the slots of the tensors it returns.
        held: tensors that the steps use and that do not depend on the start.
        result: the slot of the answer, or the answer itself where it does not depend on the start.
        reads: the operation that handed a value to Python, if one did; the program cannot be trusted then.
    """

    start: Tensor
    steps: list[tuple[Callable[..., Any], list[Any], TreeSpec, list[int | None]]] = field(default_factory=list)
    held: list[Tensor] = field(default_factory=list)
    result: Slot | Tensor | None = None
    reads: str = ""

    @torch.no_grad()
    def __call__(self, value: Tensor) -> Tensor:
        """The answer for another start of the same shape."""
        # The same strides as before, since views were recorded with theirs; and a copy, since steps may write into it.
        first = torch.empty_strided(self.start.shape, self.start.stride(), dtype=value.dtype, device=value.device)
        slots = {0: first.copy_(value)}
        for (operation, leaves, structure, outputs), finished in zip(self.steps, self._last_uses, strict=True):
            args, kwargs = tree_unflatten([self._value(leaf, slots) for leaf in leaves], structure)
            returned = tree_flatten(operation(*args, **kwargs))[0]
            for number, tensor in zip(outputs, returned, strict=True):
                if number is not None:
                    slots[number] = tensor
            for number in finished:
                slots.pop(number, None)
        answer = self.result
        assert answer is not None
        return slots[answer.number] if isinstance(answer, Slot) else answer

    def _value(self, leaf: Any, slots: dict[int, Tensor]) -> Any:
        if isinstance(leaf, Slot):
            return slots[leaf.number]
        return self.held[leaf.number] if isinstance(leaf, Held) else leaf

    @cached_property
    def _last_uses(self) -> list[list[int]]:
        """After each step the slots that no later one needs."""
        kept = {self.result.number} if isinstance(self.result, Slot) else set()
        last: dict[int, int] = {}
        for index, (_, leaves, _, outputs) in enumerate(self.steps):
            used = [leaf.number for leaf in leaves if isinstance(leaf, Slot)]
            last.update(dict.fromkeys([*used, *(number for number in outputs if number is not None)], index))
        ends = defaultdict(list)
        for number, index in last.items():
            if number not in kept:
                ends[index].append(number)
        return [ends[index] for index in range(len(self.steps))]


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records every operation that depends on one tensor, at the level at which nothing is hidden."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._program: Program | None = None
        self.clock = 0
        self._made: MutableMapping[Tensor, int] = WeakTensorKeyDictionary()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Said here so that torch does not load its compiler, seconds and hundreds of megabytes, to find out."""
        return False

    def made(self, tensor: Tensor) -> int:
        """The time (the count of operations) at which it was made or last written into; 0 before everything."""
        return self._made.get(tensor, 0)

    def begin(self, start: Tensor) -> None:
        """Record what depends on this tensor from here on."""
        self._program = None
        program = Program(torch.empty_strided(start.shape, start.stride(), dtype=start.dtype, device="meta"))
        self._numbers: MutableMapping[Tensor, int] = WeakTensorKeyDictionary()
        # Of every storage that holds something dependent, a slot that owns it. The weak references keep addresses from
        # being used again.
        self._owners: dict[int, tuple[StorageWeakRef, int]] = {}
        self._held_in: dict[int, list[int]] = defaultdict(list)
        self._count = 0
        self._numbers[start], self._count = 0, 1
        # A part of a larger storage has neighbours there that do not depend on it.
        if start.numel() * start.element_size() == start.untyped_storage().nbytes():
            self._own(start, 0)
        self._program = program

    def finish(self, answer: Tensor) -> Program:
        """The program from the start to this answer; recording ends."""
        assert self._program is not None
        program, self._program = self._program, None
        program.result = Slot(self._numbers[answer]) if answer in self._numbers else answer.detach()
        if not isinstance(program.result, Slot) and self._owner(answer) is not None:
            program.reads = "an alias"
        return program

    def __torch_dispatch__(
        self, func: Any, types: object, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        self.clock += 1
        if self._program is None:
            output = func(*args, **kwargs)
            for leaf in tree_flatten(output)[0]:
                if isinstance(leaf, Tensor):
                    self._made[leaf] = self.clock
            return output
        leaves, structure = tree_flatten((list(args), kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        depends = any(self._owner(tensor) is not None for tensor in tensors)
        for tensor in _written(func, args, kwargs):
            self._before_writing(tensor, depends)
        if not depends:
            return func(*args, **kwargs)
        if func.overloadpacket.__name__ in _READS:
            self._program.reads = func.overloadpacket.__name__
        recorded = [self._leaf(leaf) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        output = func(*args, **kwargs)
        numbers = [self._new_slot(out) if isinstance(out, Tensor) else None for out in tree_flatten(output)[0]]
        self._program.steps.append((func, recorded, structure, numbers))
        return output

    def _owner(self, tensor: Tensor) -> int | None:
        if tensor in self._numbers:
            return self._numbers[tensor]
        found = self._owners.get(_storage(tensor))
        return None if found is None else found[1]

    def _new_slot(self, tensor: Tensor) -> int:
        if tensor in self._numbers:
            return self._numbers[tensor]
        number, self._count = self._count, self._count + 1
        self._numbers[tensor] = number
        self._own(tensor, number)
        return number

    def _own(self, tensor: Tensor, number: int) -> None:
        if _storage(tensor) not in self._owners:
            alive = StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]
            self._owners[_storage(tensor)] = alive, number

    def _leaf(self, tensor: Tensor) -> Slot | Held:
        assert self._program is not None
        if tensor in self._numbers:
            return Slot(self._numbers[tensor])
        owner = self._owner(tensor)
        if owner is None:
            self._program.held.append(tensor.detach())
            self._held_in[_storage(tensor)].append(len(self._program.held) - 1)
            return Held(len(self._program.held) - 1)
        # An alias that was made where nobody saw it: the same part of the same storage.
        where = (list(tensor.shape), list(tensor.stride()), tensor.storage_offset())
        leaves, structure = tree_flatten(([Slot(owner), *where], {}))
        self._program.steps.append((torch.ops.aten.as_strided.default, leaves, structure, [self._new_slot(tensor)]))
        return Slot(self._numbers[tensor])

    def _before_writing(self, tensor: Tensor, depends: bool) -> None:
        """What was held keeps its value; and what a dependent operation writes into depends from now on."""
        assert self._program is not None
        key = _storage(tensor)
        for number in self._held_in.pop(key, []):
            self._program.held[number] = _copy(self._program.held[number])
        if depends and self._owner(tensor) is None:
            flat = torch.as_strided(
                tensor.detach(), (tensor.untyped_storage().nbytes() // tensor.element_size(),), (1,), 0
            )
            self._program.held.append(flat.clone())
            leaves, structure = tree_flatten(([Held(len(self._program.held) - 1)], {}))
            number, self._count = self._count, self._count + 1
            self._program.steps.append((torch.ops.aten.clone.default, leaves, structure, [number]))
            self._own(tensor, number)


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _copy(tensor: Tensor) -> Tensor:
    copy = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=tensor.device)
    return copy.copy_(tensor)


def _written(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Iterator[Tensor]:
    for index, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[index] if index < len(args) else kwargs.get(argument.name)
            yield from (leaf for leaf in tree_flatten(value)[0] if isinstance(leaf, Tensor))
