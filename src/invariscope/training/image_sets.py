"""The images that networks of a study learn from and are tested on."""

import inspect
from functools import lru_cache

from invariscope.images.builtin import BUILTIN_IMAGES
from invariscope.images.images import Images
from invariscope.images.load import load_images
from invariscope.training.sets import Sets, hold_out, make_sets
from invariscope.training.settings import Training, with_options
from invariscope.training.train import fresh_network


def split_images(images: str, test: str | None, seed: int) -> tuple[Images, Images]:
    """The images to learn from and those to test on; a drawn set is drawn anew for each seed.

    Args:
        images: specifier of labelled images.
        test: specifier of the images to test on; None takes the set's own test split, or holds out a third.
        seed: of the draw or of the split.

    Returns:
        Images to learn from, and images to test on.

    Raises:
        InvariscopeError: an image set cannot be loaded or split.
    """
    if test is not None:
        return load_images(images), load_images(test)
    kind, _, name = images.partition("?")[0].partition(":")
    known = inspect.signature(BUILTIN_IMAGES[name]).parameters if kind == "builtin" else {}
    if "split" in known and "split=" not in images:
        options = {"seed": seed} if "seed" in known else {}
        train, held = (load_images(with_options(images, split=split, **options)) for split in ("train", "test"))
        return train, held
    return hold_out(load_images(images), seed=seed)


@lru_cache(maxsize=2)
def image_sets(images: str, test: str | None, network: str, seed: int) -> Sets:
    """Both sets at a network's size; a process that does several jobs of a seed makes them once.

    Args:
        images: specifier of labelled images.
        test: specifier of the images to test on, or None.
        network: specifier of the architecture.
        seed: of the draw or of the split.
    """
    train, held = split_images(images, test, seed)
    recipe = fresh_network(Training(network, "inversion", 1.0, 0, seed), train.n_classes).recipe
    return make_sets(train, held, recipe)
