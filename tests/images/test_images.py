"""Subsets, fingerprints, the cache and batches."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from invariscope.core.errors import ImageError
from invariscope.images.images import Images
from invariscope.images.load import load_images
from invariscope.images.prepare import decode_all
from invariscope.images.source import FileSource
from invariscope.networks.recipe import Recipe


def numbered(n: int) -> np.ndarray:
    return np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, 8, 8, 3)).copy()


def values(prepared) -> list[int]:
    return prepared.pixels[:, 0, 0, 0].tolist()


@pytest.fixture
def folder(tmp_path):
    """Twelve flat grey PNGs of level 10·i in three folders, and one broken file."""
    for i in range(12):
        path = tmp_path / "set" / "abc"[i // 4] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 10), (10 * i,) * 3).save(path)
    (tmp_path / "set" / "b" / "05.png").write_bytes(b"broken")
    return tmp_path / "set"


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 70), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_a_limit_is_as_even_over_the_classes_as_they_allow(labels, n, seed):
    images = Images(numbered(len(labels)), labels)
    chosen = images.limit(n, seed)
    assert len(chosen) == min(n, len(labels))
    have, got = np.bincount(labels, minlength=5), np.bincount(chosen.labels, minlength=5)
    assert (got <= have).all()
    short = got < have
    if short.any():
        assert got.max() <= got[short].min() + 1
    assert values(chosen.fit(Recipe())) == sorted(values(chosen.fit(Recipe())))


def test_a_limit_depends_on_its_seed_only():
    images = Images(numbered(100), np.arange(100) % 10)
    first = values(images.limit(30, 1).fit(Recipe()))
    assert first == values(images.limit(30, 1).fit(Recipe()))
    assert first != values(images.limit(30, 2).fit(Recipe()))


def test_a_limit_of_unlabelled_images_is_a_draw():
    chosen = values(Images(numbered(100)).limit(10).fit(Recipe()))
    assert len(set(chosen)) == 10
    assert chosen != list(range(10))


def test_a_limit_below_one_is_refused():
    with pytest.raises(ImageError, match="at least one image is needed; the limit is 0"):
        Images(numbered(3)).limit(0)


def test_a_subset_keeps_order_labels_and_repeats():
    images = Images(numbered(10), np.arange(10), [f"c{i}" for i in range(10)])
    part = images.subset([7, 2, 2]).subset(torch.tensor([2, 0]))
    assert values(part.fit(Recipe())) == [2, 7]
    assert part.labels.tolist() == [2, 7]
    assert part.name(1) == "7"


def test_a_subset_of_files_keeps_its_order(folder):
    prepared = load_images(str(folder)).subset([9, 0, 4]).fit(Recipe())
    assert prepared.names == ["c/09.png", "a/00.png", "b/04.png"]
    assert values(prepared) == [90, 0, 40]


def test_the_fingerprint_is_of_content_and_not_of_place_or_time(folder, tmp_path):
    before = load_images(str(folder)).fingerprint
    moved = folder.rename(tmp_path / "elsewhere")
    os.utime(moved / "a" / "00.png", (1, 1))
    assert load_images(str(moved)).fingerprint == before
    Image.new("RGB", (12, 10), (1, 0, 0)).save(moved / "a" / "00.png")
    assert load_images(str(moved)).fingerprint != before


def test_the_fingerprint_sees_pixels_labels_classes_and_order():
    array, labels = numbered(4), [0, 1, 0, 1]
    images = Images(array, labels)
    other = array.copy()
    other[3, 7, 7, 2] ^= 1
    different = [
        images,
        Images(other, labels),
        Images(array, [0, 1, 1, 1]),
        Images(array, labels, ["a", "b"]),
        images.subset([1, 0, 2, 3]),
        images.subset([0, 1, 2]),
        Images(array),
    ]
    assert len({one.fingerprint for one in different}) == len(different)
    assert Images(array.copy(), labels).fingerprint == images.fingerprint


def test_what_cannot_be_read_is_skipped_counted_and_named(folder):
    images = load_images(str(folder))
    prepared = images.fit(Recipe())
    assert len(prepared) == 11
    assert prepared.n_skipped == images.n_skipped == 1
    assert prepared.skipped == [("b/05.png", "not an image in a known format")]
    assert prepared.kept.tolist() == [i for i in range(12) if images.name(i) != prepared.skipped[0][0]]
    assert prepared.labels.tolist() == [images.labels[i] for i in prepared.kept]
    assert prepared.names == [images.name(i) for i in prepared.kept]
    assert "1 of the images could not be read and were left out" in prepared.notes[0]


def test_strict_refuses_what_cannot_be_read(folder):
    with pytest.raises(ImageError, match=r"^b/05.png cannot be read: not an image.* Without --strict it would be"):
        load_images(str(folder)).fit(Recipe(), strict=True)
    with pytest.raises(ImageError, match=r"^b/05.png cannot be read"):
        load_images(str(folder), strict=True).limit(12).fit(Recipe())


def test_strict_refuses_what_the_cache_once_skipped(folder, tmp_path):
    images = load_images(str(folder))
    images.fit(Recipe(), cache=tmp_path / "cache")
    with pytest.raises(ImageError, match=r"^b/05.png cannot be read"):
        images.fit(Recipe(), cache=tmp_path / "cache", strict=True)


def test_a_decompression_bomb_is_an_error_even_when_not_strict(folder):
    data = bytearray((folder / "a" / "01.png").read_bytes())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    (folder / "a" / "01.png").write_bytes(data)
    with pytest.raises(ImageError, match=r"^a/01.png would unpack to 60000 × 60000 pixels"):
        load_images(str(folder)).fit(Recipe())


def test_nothing_readable_is_an_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"broken")
    with pytest.raises(ImageError, match=r"none of the 1 images could be read; a.png: not an image in a known format"):
        load_images(str(tmp_path)).fit(Recipe())


def test_mixed_sizes_need_a_recipe_with_a_size(folder):
    Image.new("RGB", (30, 20)).save(folder / "c" / "99.png")
    images = load_images(str(folder))
    message = r"differ in size \(a/00.png has 10 rows and 12 columns, c/99.png has 20 and 30\).*NETWORK\?size=10"
    with pytest.raises(ImageError, match=message):
        images.fit(Recipe())
    assert images.fit(Recipe(size=(8, 8))).pixels.shape == (12, 3, 8, 8)


def test_the_cache_gives_the_same_images_without_decoding(folder, tmp_path, monkeypatch):
    images, recipe = load_images(str(folder)), Recipe(size=(6, 6), resize=7)
    plain, first = images.fit(recipe), images.fit(recipe, cache=tmp_path / "cache")
    monkeypatch.setattr("invariscope.images.cached.decode_all", None)
    again = load_images(str(folder)).fit(recipe, cache=tmp_path / "cache")
    for other in (first, again):
        assert torch.equal(other.pixels, plain.pixels)
        assert (other.names, other.skipped, other.notes) == (plain.names, plain.skipped, plain.notes)
        assert other.labels.tolist() == plain.labels.tolist()
    assert [path.name for path in sorted((tmp_path / "cache").glob("*/*"))] == ["about.json", "pixels.npy"]


def test_the_cache_knows_recipes_and_contents_apart(folder, tmp_path):
    cache = tmp_path / "cache"
    images = load_images(str(folder))
    for recipe in (Recipe(), Recipe(size=(6, 6)), Recipe(size=(6, 6), interpolation="bicubic"), Recipe(channels=1)):
        images.fit(recipe, cache=cache)
    images.fit(Recipe(mean=(0.5,) * 3, std=(0.5,) * 3), cache=cache)
    images.subset([0, 1]).fit(Recipe(), cache=cache)
    assert len(list(cache.iterdir())) == 5


def test_an_interrupted_cache_leaves_nothing_behind(folder, tmp_path, monkeypatch):
    def interrupted(*_args, **_settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("invariscope.images.cached.decode_all", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_images(str(folder)).fit(Recipe(), cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_temporary_file_goes_with_its_set(folder):
    prepared = load_images(str(folder)).fit(Recipe(), memory=1000)
    spooled = Path(prepared.pixels.filename)
    assert spooled.is_file()
    del prepared
    assert not spooled.parent.exists()


@pytest.mark.parametrize("cached", [False, True])
def test_above_the_memory_limit_batches_come_from_disk(folder, tmp_path, cached):
    images = load_images(str(folder))
    cache = tmp_path / "cache" if cached else None
    resident, streamed = images.fit(Recipe()), images.fit(Recipe(), cache=cache, memory=1000)
    assert resident.resident
    assert not streamed.resident
    assert len(streamed) == 11
    assert isinstance(streamed.pixels, np.memmap)
    order = torch.tensor([3, 10, 0, 0, 7])
    for one, other in zip(resident.batches(2, order=order), streamed.batches(2, order=order), strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])
    assert torch.equal(torch.cat([batch for _, batch in streamed.batches(4)]), resident.batch(range(11)))


def test_batches_cover_the_set_in_order():
    prepared = Images(numbered(10)).fit(Recipe())
    chunks = list(prepared.batches(4))
    assert [len(indices) for indices, _ in chunks] == [4, 4, 2]
    assert torch.cat([indices for indices, _ in chunks]).tolist() == list(range(10))
    assert torch.equal(torch.cat([batch for _, batch in chunks])[:, 0, 0, 0] * 255, torch.arange(10.0))


def test_writing_into_a_batch_leaves_the_set_alone():
    for array in (numbered(3), torch.rand(3, 3, 8, 8)):
        prepared = Images(array).fit(Recipe())
        before = prepared.batch([1]).clone()
        prepared.batch([1]).fill_(9)
        next(prepared.batches(2))[1].fill_(9)
        assert torch.equal(prepared.batch([1]), before)


def test_many_files_are_decoded_in_order_by_many_threads(tmp_path):
    for i in range(200):
        Image.new("RGB", (40 + i, 40), (i, 0, 0)).save(tmp_path / f"{i:03}.png")
    paths = sorted(tmp_path.iterdir())
    decoded = decode_all(
        FileSource(tmp_path, paths), range(200), Recipe(size=(8, 8)), file=None, memory=10**9, strict=False
    )
    assert decoded.pixels[:, 0, 4, 4].tolist() == list(range(200))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_device_gets_the_same_pixels():
    prepared = Images(numbered(10)).fit(Recipe())
    for indices, batch in prepared.batches(4, "cuda"):
        assert batch.device.type == "cuda"
        assert torch.equal(batch.cpu(), prepared.batch(indices))


def test_narrow_float_images_keep_their_channels_first() -> None:
    images = Images(np.zeros((2, 1, 8, 4), np.float32))
    assert images.fit(Recipe(channels=0)).pixels.shape == (2, 1, 8, 4)
