"""Specifiers, good and bad."""

import pytest

from invariscope.core.errors import ImageError, SettingError, UnknownNameError
from invariscope.images.load import load_images
from invariscope.images.options import split_spec


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (
            "no/such/place",
            ImageError,
            "there is nothing at 'no/such/place'; images are a folder.*builtin:NAME .*glyphs",
        ),
        ("builtin:gliphs", UnknownNameError, "no built-in image set is called 'gliphs'. Did you mean 'glyphs'"),
        ("builtin:glyphs?sed=1", SettingError, "no option of builtin:glyphs is called 'sed'. Did you mean 'seed'"),
        ("builtin:glyphs?seed=one", SettingError, "the option 'seed' of builtin:glyphs is a whole number; got 'one'"),
        ("builtin:glyphs?seed", SettingError, "the option 'seed' of 'glyphs.seed' has no value"),
        ("builtin:glyphs?seed=1&seed=2", SettingError, "the option 'seed' of .* is given twice"),
        ("builtin:glyphs?split=val", SettingError, "has the splits train and test; got 'val'"),
        ("builtin:digits?split=val", SettingError, "has the splits train, test and all; got 'val'"),
        ("builtin:glyphs?size=4", SettingError, "8 to 256 pixels a side; got size=4"),
        ("builtin:glyphs?per_class=-1", SettingError, "got per_class=-1"),
        ("builtin:glyphs?seed=-1", SettingError, "a seed is 0 or more; got -1"),
        ("builtin:digits?seed=-1", SettingError, "a seed is 0 or more; got -1"),
    ],
)
def test_bad_specifiers_get_one_clear_sentence(spec, error, message):
    with pytest.raises(error, match=message):
        load_images(spec)


@pytest.mark.parametrize("name", ["one.png", "set.tar"])
def test_a_single_file_of_another_kind_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ImageError, match=r"is a single file; images are a folder, a .parquet file or an .npz file"):
        load_images(tmp_path / name)


def test_options_keep_what_stands_behind_their_first_equals_sign():
    assert split_spec("CIFAR10?root=/data/a=b&split=test") == ("CIFAR10", {"root": "/data/a=b", "split": "test"})


def test_the_limit_and_its_seed_reach_the_set():
    images = load_images("builtin:digits", limit=50, seed=4)
    assert len(images) == 50
    assert images.spec == "builtin:digits"
    assert set(images.labels.tolist()) == set(range(10))
    assert images.fingerprint == load_images("builtin:digits", limit=50, seed=4).fingerprint
    assert images.fingerprint != load_images("builtin:digits", limit=50, seed=5).fingerprint
