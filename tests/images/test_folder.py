"""Folders of image files."""

import pytest
from PIL import Image

from invariscope.core.errors import ImageError
from invariscope.images.load import load_images
from invariscope.networks.recipe import Recipe


def put(path, level: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), (level,) * 3).save(path)


def test_sorted_folders_are_the_classes_and_own_all_that_lies_below(tmp_path):
    for i, name in enumerate(["dog/b.png", "dog/a.JPG", "cat/deep/er/c.png", "cat/z.bmp"]):
        put(tmp_path / name, i)
    images = load_images(str(tmp_path))
    assert images.classes == ("cat", "dog")
    assert [images.name(i) for i in range(4)] == ["cat/deep/er/c.png", "cat/z.bmp", "dog/a.JPG", "dog/b.png"]
    assert images.labels.tolist() == [0, 0, 1, 1]
    assert repr(images).endswith("2 classes>")


def test_a_folder_of_images_only_is_unlabelled(tmp_path):
    for name in ("b.png", "a.png"):
        put(tmp_path / name)
    images = load_images(tmp_path)
    assert images.labels is None
    assert images.classes is None
    assert images.fit(Recipe()).names == ["a.png", "b.png"]


def test_hidden_and_other_files_are_left_out(tmp_path):
    put(tmp_path / "cat" / "a.png")
    put(tmp_path / ".thumbnails" / "b.png")
    put(tmp_path / "__MACOSX" / "c.png")
    put(tmp_path / "cat" / ".cache" / "d.png")
    put(tmp_path / "cat" / "._a.png.tiff")
    (tmp_path / "README.txt").write_text("no image")
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    images = load_images(str(tmp_path))
    assert images.classes == ("cat",)
    assert len(images) == 1


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "holds no images; image files end in"),
        (["cat/", "dog/"], "holds no images"),
        (["cat/a.png", "dog/"], "the class folder .*dog holds no images; remove it, or fill it"),
        (["cat/a.png", "dog/readme.txt"], "the class folder .*dog holds no images"),
        (["cat/a.png", "stray.png"], r"holds both images \(stray.png\) and folders \(cat\)"),
        (["train/cat/a.png", "val/cat/a.png"], "are splits, not classes; name one of them, as in .*val"),
        (["notes.txt"], "holds no images"),
    ],
)
def test_other_folders_are_refused(tmp_path, files, message):
    for name in files:
        if name.endswith("/"):
            (tmp_path / name).mkdir()
        elif name.endswith("txt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("")
        else:
            put(tmp_path / name)
    with pytest.raises(ImageError, match=message):
        load_images(str(tmp_path))


def test_a_file_that_vanishes_is_skipped(tmp_path):
    put(tmp_path / "a.png")
    put(tmp_path / "b.png")
    images = load_images(str(tmp_path))
    (tmp_path / "a.png").unlink()
    prepared = images.fit(Recipe())
    assert prepared.names == ["b.png"]
    assert prepared.skipped == [("a.png", "No such file or directory")]
