"""Which modules and functions are rectifying nonlinearities, and which calls are residual sums."""

import re
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

# Half-wave and smooth rectifiers alike: they pass what is large and hold back what is negative.
RECTIFIERS = {
    *("relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu"),
    *("gelu", "silu", "mish", "hardswish", "softplus", "threshold"),
}
_AT_ZERO = {"clamp": 1, "clamp_min": 1, "clip": 1, "hardtanh": 1}
_ADDITIONS = {"add", "radd", "iadd"}
_CLASSES = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU),
    *(nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Softplus, nn.Threshold),
)
_NAMES = re.compile(r"(relu6?|gelu(tanh|erf)?|elu|silu|swish|mish|softplus)(me)?$", re.IGNORECASE)


def is_rectifier(module: nn.Module) -> bool:
    """Whether the module is a rectifying nonlinearity: one of torch's, or a leaf whose class is named like one.

    Example:
        >>> is_rectifier(nn.ReLU6()), is_rectifier(nn.Sigmoid()), is_rectifier(nn.Sequential(nn.ReLU()))
        (True, False, False)
    """
    if isinstance(module, _CLASSES):
        return True
    if isinstance(module, nn.Hardtanh):
        return module.min_val == 0
    return bool(_NAMES.search(type(module).__name__)) and not any(module.children())


def plain_name(function: object) -> str:
    """The name of a function or operator without its variant: "relu" of F.relu, Tensor.relu_ and aten::relu.

    Example:
        >>> import torch
        >>> plain_name(torch.relu_), plain_name(Tensor.__iadd__), plain_name(torch.ops.aten.relu.default)
        ('relu', 'iadd', 'relu')
    """
    name = str(getattr(function, "__name__", ""))
    return name.split(".")[0].strip("_")


def site_of(name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> tuple[str, str] | None:
    """Kind and operation of a call that makes a site of its own, told without looking at sizes.

    A rectifier is one by name; a clamp is one where it cuts at 0. A sum is an addition of two tensors of as many axes
    (two at least), neither of them a weight: a bias or a constant makes none. Sizes do not matter here, so that a batch
    of another size numbers its calls alike.

    Args:
        name: the plain name of the function.
        args: what it is called with.
        kwargs: what it is called with, by keyword.

    Returns:
        ("activation", "relu"), ("sum", "add") and the like; None for any other call.

    Example:
        >>> import torch
        >>> site_of("clamp", (torch.zeros(1),), {"min": 0}), site_of("clamp", (torch.zeros(1),), {"min": 1e-6})
        (('activation', 'clamp'), None)
    """
    if name in RECTIFIERS:
        return "activation", name
    if name in _AT_ZERO:
        low = args[1] if len(args) > 1 else kwargs.get("min_val", kwargs.get("min"))
        return ("activation", name) if isinstance(low, (int, float)) and low == 0 else None
    if name in _ADDITIONS:
        terms = (*args, kwargs.get("other"))[:2]
        if all(isinstance(term, Tensor) and not isinstance(term, nn.Parameter) for term in terms):
            first, second = (term.ndim for term in terms if isinstance(term, Tensor))
            return ("sum", "add") if first == second >= 2 else None
    return None


# Every name that `site_of` may say yes to: others need not be asked about.
CANDIDATES = RECTIFIERS | _AT_ZERO.keys() | _ADDITIONS
