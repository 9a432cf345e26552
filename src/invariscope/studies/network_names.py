"""What networks are called on a page: short, and never two of them the same."""

import re
from collections.abc import Sequence
from pathlib import Path

_NAMES = (
    ("squeezenet", "SqueezeNet"),
    ("wide_resnet", "Wide ResNet"),
    ("resnext", "ResNeXt"),
    ("resnet", "ResNet"),
    ("alexnet", "AlexNet"),
    ("densenet", "DenseNet"),
    ("mobilenet", "MobileNet"),
    ("efficientnet", "EfficientNet"),
    ("shufflenet", "ShuffleNet"),
    ("mnasnet", "MNASNet"),
    ("googlenet", "GoogLeNet"),
    ("inception", "Inception"),
    ("convnext", "ConvNeXt"),
    ("regnet", "RegNet"),
    ("vgg", "VGG"),
    ("deit", "DeiT"),
    ("vit", "ViT"),
    ("swin", "Swin"),
    ("cnn", "CNN"),
)


def network_labels(specs: Sequence[str]) -> list[str]:
    """A short name for each network; those that would share one say also what sets them apart.

    Args:
        specs: specifiers.

    Example:
        >>> network_labels(["builtin:cifar-resnet20?weights=cifar10_resnet20.safetensors", "torchvision:squeezenet1_1"])
        ['ResNet-20', 'SqueezeNet 1.1']
        >>> network_labels(["torchvision:vgg19?weights=one.safetensors", "torchvision:vgg19?weights=two.safetensors"])
        ['VGG-19 (one)', 'VGG-19 (two)']
        >>> network_labels(["builtin:resnet18?width=.25", "builtin:resnet18?width=.5", "runs/a/my_net.py:make"])
        ['ResNet-18 (width .25)', 'ResNet-18 (width .5)', 'my_net']
    """
    short = [_short(spec) for spec in specs]
    named = []
    for place, (spec, name) in enumerate(zip(specs, short, strict=True)):
        rivals = [other for other, same in zip(specs, short, strict=True) if same == name and other != spec]
        apart = _apart(spec, rivals) if rivals else ""
        label = f"{name} ({apart})" if apart else name
        named.append(f"{label} [{place + 1}]" if label in named else label)
    return named


def _short(spec: str) -> str:
    head = spec.partition("?")[0]
    source, colon, name = head.partition(":")
    if not colon or source not in ("builtin", "torchvision", "timm"):
        return Path(head.partition(".py:")[0]).stem
    name = re.sub(r"^cifar[-_]", "", name)
    for begins, written in _NAMES:
        if name.startswith(begins):
            rest = name[len(begins) :].strip("_-")
            return written + _rest(rest)
    return name.replace("_", " ")


def _rest(rest: str) -> str:
    """A depth is joined by a hyphen, a version stands apart."""
    if not rest:
        return ""
    if re.fullmatch(r"\d_\d+", rest):
        return " " + rest.replace("_", ".")
    words = re.sub(r"[_-]", " ", rest)
    return f"-{words}" if rest[0].isdigit() else f" {words}"


def _apart(spec: str, rivals: Sequence[str]) -> str:
    """The options of a specifier that no rival shares, in words; the whole head where there is none."""
    own, others = _options(spec), [_options(rival) for rival in rivals]
    differing = {name: value for name, value in own.items() if any(other.get(name) != value for other in others)}
    words = [Path(value).stem if name == "weights" else f"{name} {value}" for name, value in differing.items()]
    if words:
        return ", ".join(words)
    head, heads = spec.partition("?")[0], [rival.partition("?")[0] for rival in rivals]
    # Of a path as little as tells it apart: the function in a file, then folders from the innermost outwards.
    parts, those = _parts(head), [_parts(other) for other in heads]
    apart = (part for place, part in enumerate(parts) if all(part not in other[: place + 1] for other in those))
    return next(apart, "")


def _parts(head: str) -> list[str]:
    file, python, function = head.partition(".py:")
    if python:
        return [function, *reversed(Path(file).parts[:-1])]
    source, colon, _ = head.partition(":")
    return [source] if colon else list(reversed(Path(head).parts[:-1]))


def _options(spec: str) -> dict[str, str]:
    return dict(part.partition("=")[::2] for part in spec.partition("?")[2].split("&") if part)
