"""Image sets that come with the package or are made from what its dependencies carry; nothing is downloaded."""

from collections.abc import Callable

from invariscope.core.registry import Registry
from invariscope.images.images import Images

BUILTIN_IMAGES: Registry[Callable[..., Images]] = Registry("built-in image set", "invariscope.images")
"""`builtin:NAME` to the function that makes the set; its keyword arguments are the options of the specifier."""
