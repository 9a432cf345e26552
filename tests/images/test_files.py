"""Parquet tables, .npz files, torchvision's data sets."""

import io
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torchvision import datasets

from invariscope.core.errors import ImageError, SettingError
from invariscope.images.images import Images
from invariscope.images.load import load_images
from invariscope.images.torchvision_sets import from_dataset
from invariscope.networks.recipe import Recipe


def png(level: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), (level,) * 3).save(file, "PNG")
    return file.getvalue()


def table(n: int, *, first: int = 0, plain: bool = False, **columns) -> pa.Table:
    cells = [png(first + i) if plain else {"bytes": png(first + i), "path": None} for i in range(n)]
    return pa.table({"image": cells, **columns})


def levels(images: Images) -> list[int]:
    return images.fit(Recipe()).pixels[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("plain", [False, True])
def test_rows_keep_their_order_over_files_and_row_groups(tmp_path, plain):
    pq.write_table(table(7, plain=plain, label=list(range(7))), tmp_path / "a-0.parquet", row_group_size=2)
    pq.write_table(table(3, first=7, plain=plain, label=[7, 8, 9]), tmp_path / "a-1.parquet", row_group_size=2)
    images = load_images(str(tmp_path))
    assert levels(images) == images.labels.tolist() == list(range(10))
    assert images.name(8) == "a-1.parquet, row 1"
    assert levels(images.subset([9, 0, 5, 5])) == [9, 0, 5, 5]


def test_a_folder_may_keep_its_tables_in_data(tmp_path):
    (tmp_path / "data").mkdir()
    pq.write_table(table(2), tmp_path / "data" / "test.parquet")
    images = load_images(str(tmp_path))
    assert len(images) == 2
    assert images.labels is None


def test_class_names_come_from_the_description(tmp_path):
    info = b'{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}'
    pq.write_table(table(2, label=[1, 0]).replace_schema_metadata({b"huggingface": info}), tmp_path / "t.parquet")
    assert load_images(str(tmp_path / "t.parquet")).classes == ("cat", "dog")


def test_class_names_come_from_columns(tmp_path):
    columns = {"label": [2, 0, 2], "name": ["newt", "ant", "newt"], "wnid": ["n2", "n0", "n2"]}
    pq.write_table(table(3, **columns), tmp_path / "t.parquet")
    images = load_images(str(tmp_path / "t.parquet"))
    assert images.classes == ("ant", "1", "newt")
    assert images.wnids == ("n0", "1", "n2")


def test_a_column_of_image_names_is_not_taken_for_class_names(tmp_path):
    pq.write_table(table(3, label=[0, 0, 1], name=["a.png", "b.png", "c.png"]), tmp_path / "t.parquet")
    assert load_images(str(tmp_path / "t.parquet")).classes is None


def test_labels_may_be_names(tmp_path):
    pq.write_table(table(2, label=["dog", "cat"]), tmp_path / "t.parquet")
    images = load_images(str(tmp_path / "t.parquet"))
    assert (images.classes, images.labels.tolist()) == (("cat", "dog"), [1, 0])


def test_an_empty_cell_is_skipped(tmp_path):
    cells = [{"bytes": png(1), "path": None}, {"bytes": None, "path": "gone.png"}, None]
    pq.write_table(pa.table({"image": cells}), tmp_path / "t.parquet")
    prepared = load_images(str(tmp_path / "t.parquet")).fit(Recipe())
    assert prepared.skipped == [("t.parquet, row 1", "an empty file"), ("t.parquet, row 2", "an empty file")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pa.table({"pixels": [1]}), "has no column 'image' of encoded bytes; its columns are pixels"),
        (pa.table({"image": [1]}), "has no column 'image' of encoded bytes"),
        (table(0, label=pa.array([], pa.int64())), "has no column|has no rows"),
        (table(2, label=[0, None]), "the column 'label' of .* has empty cells"),
    ],
)
def test_other_tables_are_refused(tmp_path, content, message):
    pq.write_table(content, tmp_path / "t.parquet")
    with pytest.raises(ImageError, match=message):
        load_images(str(tmp_path / "t.parquet"))


def test_a_file_that_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 not")
    with pytest.raises(ImageError, match=r"t.parquet is not a parquet file that can be read"):
        load_images(str(tmp_path / "t.parquet"))


def test_real_cifar_images(shared_data):
    images = load_images(str(shared_data / "cifar10" / "lossless_test1000.parquet"))
    prepared = images.fit(Recipe(size=(32, 32)))
    assert images.classes[:3] == ("airplane", "automobile", "bird")
    assert images.labels[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    assert prepared.pixels.shape == (1000, 3, 32, 32)
    assert prepared.notes == []
    row = pq.read_table(shared_data / "cifar10" / "lossless_test1000.parquet").column("image")[123].as_py()
    assert np.array_equal(prepared.pixels[123].permute(1, 2, 0), np.asarray(Image.open(io.BytesIO(row["bytes"]))))


def test_real_imagenet_images(shared_data):
    images = load_images(str(shared_data / "imagenet_samples" / "samples-00000-of-00001.parquet"), limit=20, seed=3)
    prepared = images.fit(Recipe(size=(224, 224), resize=256))
    assert images.n_classes == 1000
    assert (images.classes[1], images.wnids[1]) == ("goldfish", "n01443537")
    assert prepared.pixels.shape == (20, 3, 224, 224)
    assert np.diff(prepared.labels).min() > 0


@pytest.mark.parametrize("last", [True, False])
def test_an_npz_holds_arrays(tmp_path, last):
    array = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (4, 3, 8, 9), dtype=np.uint8)
    stored = array.transpose(0, 2, 3, 1) if last else array
    np.savez(tmp_path / "set.npz", images=stored, labels=[0, 1, 1, 0], classes=["cat", "dog"])
    images = load_images(str(tmp_path / "set.npz"))
    assert torch.equal(images.fit(Recipe()).pixels, torch.from_numpy(array))
    assert images.labels.tolist() == [0, 1, 1, 0]
    assert images.classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros(3)}, "has no array 'images'; it holds x"),
        ({"images": np.zeros((2, 3), np.uint8)}, r"set.npz: images are an array .* got \(2, 3\)"),
        ({"images": np.zeros((2, 8, 8, 3), np.uint8), "labels": [1]}, "set.npz: there are 2 images and labels"),
        ({"images": np.array([None, {}], dtype=object)}, "holds Python objects, which are not unpickled"),
    ],
)
def test_other_npz_files_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(ImageError, match=message):
        load_images(str(tmp_path / "set.npz"))


def test_an_npy_under_the_name_of_an_npz_is_refused(tmp_path):
    with (tmp_path / "set.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ImageError, match=r"set.npz is not an .npz file"):
        load_images(str(tmp_path / "set.npz"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", pickle.dumps([1])])
def test_a_broken_npz_is_refused(tmp_path, content):
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(ImageError, match=r"set.npz is not an .npz file|holds Python objects"):
        load_images(str(tmp_path / "set.npz"))


def test_a_torchvision_set_that_is_absent_is_one_sentence(tmp_path):
    message = rf"torchvision:CIFAR10 \(test\) is not at {tmp_path} \(Dataset not found.*nothing is downloaded"
    with pytest.raises(ImageError, match=message):
        load_images(f"torchvision:CIFAR10?root={tmp_path}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("torchvision:CIFAR11?root=x", ImageError, "no torchvision data set is called 'CIFAR11'. Did you mean 'CIFAR1"),
        ("torchvision:CIFAR10", SettingError, r"write torchvision:CIFAR10\?root=FOLDER"),
        ("torchvision:CIFAR10?root=x&split=val", SettingError, "has the splits train and test; got 'val'"),
        ("torchvision:CIFAR10?root=x&fold=1", SettingError, "no option of torchvision:CIFAR10 is called 'fold'"),
    ],
)
def test_other_torchvision_specifiers_are_refused(spec, error, message):
    with pytest.raises(error, match=message):
        load_images(spec)


def test_a_torchvision_set_of_arrays_is_read_whole(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    pixels = np.arange(3 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
    for prefix in ("t10k", "train"):
        header = b"\0\0\x08\x03" + np.array([3, 28, 28], ">i4").tobytes()
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + np.array([3], ">i4").tobytes() + b"\1\0\7")
    images = load_images(f"torchvision:MNIST?root={tmp_path}&split=test")
    assert images.labels.tolist() == [1, 0, 7]
    assert images.classes[7] == "7 - seven"
    assert torch.equal(images.fit(Recipe(channels=1)).pixels[:, 0], torch.from_numpy(pixels))


def test_a_torchvision_set_of_pictures_is_read_one_by_one(tmp_path):
    for i, name in enumerate(["ant/0.png", "bee/1.png", "bee/2.png"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png(i))
    images = from_dataset(datasets.ImageFolder(tmp_path), "torchvision:ImageFolder")
    assert (images.labels.tolist(), images.classes) == ([0, 1, 1], ("ant", "bee"))
    assert levels(images.subset([2, 0])) == [2, 0]
    assert images.name(2) == "torchvision:ImageFolder, picture 2"
    assert images.fingerprint != images.subset([1, 0, 2]).fingerprint
