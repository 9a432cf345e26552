"""Decoded pixels kept on disk under what they are made of, for the next time."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from invariscope.core.errors import ImageError
from invariscope.core.files import whole
from invariscope.images.prepare import Decoded, decode_all
from invariscope.images.source import Source
from invariscope.images.spool import open_pixels
from invariscope.networks.recipe import Recipe

_FORMAT = 1


def cache_key(content: str, recipe: Recipe) -> str:
    """The name of the cache entry: a hash of the images' content and of everything that shapes their pixels.

    Args:
        content: the images' own hash.
        recipe: its size, resize, interpolation and channels count; its mean and standard deviation do not.

    Returns:
        32 hexadecimal digits.

    Example:
        >>> cache_key("a", Recipe(mean=(0.1,) * 3, std=(1.0,) * 3)) == cache_key("a", Recipe())
        True
    """
    shaping = [_FORMAT, content, recipe.size, recipe.resize, recipe.interpolation, recipe.channels]
    return hashlib.blake2b(json.dumps(shaping).encode(), digest_size=16).hexdigest()


def decode_cached(
    source: Source, places: Sequence[int], recipe: Recipe, entry: Path, *, memory: int, strict: bool
) -> Decoded:
    """What `decode_all` gives, from the cache entry if it is there, else decoded into it.

    Args:
        source: where the images lie.
        places: which of them.
        recipe: size, crop and channels.
        entry: the folder of this set and recipe.
        memory: largest number of bytes of pixels to hold in memory.
        strict: refuse an unreadable image instead of skipping it.

    Returns:
        The pixels of the readable images in order.

    Raises:
        ImageError: as `decode_all`.
        StorageError: the cache cannot be written.
    """
    if not (entry / "about.json").is_file():
        with whole(entry) as draft:
            draft.mkdir()
            made = decode_all(source, places, recipe, file=draft / "pixels.npy", memory=0, strict=strict)
            about = {"kept": made.kept, "skipped": made.skipped, "stored_as": made.stored_as}
            (draft / "about.json").write_text(json.dumps(about))
    about = json.loads((entry / "about.json").read_text())
    skipped = [(name, reason) for name, reason in about["skipped"]]
    if strict and skipped:
        raise ImageError(f"{skipped[0][0]} cannot be read: {skipped[0][1]}. Without --strict it would be skipped.")
    return Decoded(open_pixels(entry / "pixels.npy", memory), about["kept"], skipped, Counter(about["stored_as"]))
