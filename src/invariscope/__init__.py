"""Measure the invariances of vision networks: what they tolerate, where it arises, and whether it is invariance at all.

Public names are loaded when they are first used, so that `import invariscope` costs nothing. Every transformation's
class is public under its name in capitals: `inv.GaussianBlur()` is the transformation "gaussian-blur".
"""

import re
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Chain": "transformations.chain:Chain",
    "Images": "images.images:Images",
    "InvariscopeError": "core.errors:InvariscopeError",
    "Joint": "transformations.joint:Joint",
    "MEASURES": "measures.base:MEASURES",
    "Network": "networks.network:Network",
    "Recipe": "networks.recipe:Recipe",
    "Run": "runs.run:Run",
    "TRANSFORMATIONS": "transformations.base:TRANSFORMATIONS",
    "Transformation": "transformations.base:Transformation",
    "activity_threshold": "tolerance.activity_threshold:activity_threshold",
    "check_contract": "checks.check:check_contract",
    "compare_runs": "checks.compare:compare_runs",
    "find_magnitude": "tolerance.find_magnitude:find_magnitude",
    "find_thresholds": "tolerance.search:find_thresholds",
    "invariance_coefficient": "measures.functions:invariance_coefficient",
    "joint_tolerance": "tolerance.joint:joint_tolerance",
    "learn_transformer": "learned.learn:learn_transformer",
    "load_images": "images.load:load_images",
    "load_network": "networks.load:load_network",
    "load_transformer": "learned.files:load_transformer",
    "measure": "runs.measure:measure",
    "responses": "runs.responses:measure_responses",
    "sensitivity": "tolerance.infinitesimal:sensitivity",
    "specialization": "measures.functions:specialization",
    "train_paradigm": "training.train:train_paradigm",
    "worst_case": "tolerance.worst_case:worst_case",
}
_TRANSFORMATIONS = (
    "Brightness",
    "ColorJitter",
    "Contrast",
    "Elastic",
    "Gain",
    "Gamma",
    "GaussianBlur",
    "GaussianNoise",
    "Grayscale",
    "HighPass",
    "HorizontalFilter",
    "HorizontalFlip",
    "Hue",
    "Inversion",
    "Jpeg",
    "Occlusion",
    "Perspective",
    "Pixelate",
    "Rotation",
    "SaltAndPepper",
    "Saturation",
    "ScaleX",
    "ScaleY",
    "Sharpen",
    "Shear",
    "Thinning",
    "TranslationX",
    "TranslationY",
    "VerticalFilter",
    "VerticalFlip",
    "Zoom",
)

__all__ = ["__version__", *sorted([*_HOMES, *_TRANSFORMATIONS])]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        module, _, attribute = _HOMES[name].partition(":")
        return getattr(import_module(f"invariscope.{module}"), attribute)
    if name in _TRANSFORMATIONS:
        registry = import_module("invariscope.transformations.base").TRANSFORMATIONS
        return registry[re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()]
    raise AttributeError(f"module 'invariscope' has no attribute {name!r}.{_nearest(name)}")


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, __all__, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def __dir__() -> list[str]:
    return list(__all__)


class _Public(ModuleType):
    """The package, in which the room `responses` does not take the place of the public function of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Public
