"""Images, options and places that cannot be used: one clear sentence, exit code 2, and nothing half written."""

import json

import numpy as np
import pytest
from bad_input_world import CNN, bomb, done, encoded, refused

# Images.


def missing(world):
    return world.path("nowhere")


def empty(world):
    (world.root / "empty").mkdir()
    return world.path("empty")


def no_pictures(world):
    world.write("texts/a/notes.txt", b"mine")
    return world.path("texts")


def empty_class(world):
    (world.root / "images" / "dog").mkdir()
    return world.path("images")


def loose(world):
    world.write("images/stray.png", encoded("PNG"))
    return world.path("images")


def decompression_bomb(world):
    world.write("images/ant/bomb.png", bomb())
    return world.path("images")


def all_unreadable(world):
    world.write("bad/a/1.png", b"\x89PNG\r\n\x1a\nno")
    world.write("bad/a/2.jpg", b"\xff\xd8no")
    return world.path("bad")


def not_an_archive(world):
    return world.write("set.npz", b"nothing")


def no_array(world):
    return world.arrays(pictures=np.zeros((2, 16, 16, 3), np.uint8))


def pickled_images(world):
    return world.arrays(images=np.array([{"a": 1}, None], dtype=object))


def wrong_range(world):
    return world.arrays(images=np.full((2, 3, 16, 16), 200.0))


def too_few_labels(world):
    return world.arrays(images=np.zeros((4, 16, 16, 3), np.uint8), labels=np.array([0, 1]))


def labels_beyond(world):
    return world.arrays(images=np.zeros((4, 16, 16, 3), np.uint8), labels=np.array([0, 1, 2, 7]))


def not_a_table(world):
    return world.write("set.parquet", b"nothing")


def a_single_file(world):
    return world.write("one.png", encoded("PNG"))


def no_such_set(world):
    return "builtin:digit"


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (missing, ["there is nothing at", "nowhere"]),
        (empty, ["empty", "holds no images"]),
        (no_pictures, ["texts", "holds no images"]),
        (empty_class, ["class folder", "dog", "holds no images"]),
        (loose, ["stray.png", "ant", "folder per class"]),
        (decompression_bomb, ["bomb.png"]),
        (all_unreadable, ["none of the 2 images could be read", "1.png"]),
        (not_an_archive, ["set.npz", "not an .npz file"]),
        (no_array, ["no array 'images'", "pictures"]),
        (pickled_images, ["set.npz", "not unpickled"]),
        (wrong_range, ["between 0 and 1"]),
        (too_few_labels, ["set.npz", "labels"]),
        (labels_beyond, ["labels reach 7", "3 outputs"]),
        (not_a_table, ["set.parquet"]),
        (a_single_file, ["one.png", "single file"]),
        (no_such_set, ["Did you mean 'digits'"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_images_that_cannot_be_used(images, words, world, capsys):
    refused(capsys, world.measure(CNN, images(world)), *words)
    assert not world.out.exists()


BROKEN = [
    *((kind, suffix, 0.5) for kind, suffix in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"))),
    *(("JPEG", "jpg", length) for length in (0, 1, 10, 40)),
    *(("PNG", "png", length) for length in (0, 10, 40)),
]


def truncated(kind, length):
    whole = encoded(kind, (64, 64), seed=9)
    return whole[: int(length * len(whole)) if isinstance(length, float) else length]


@pytest.mark.parametrize(("kind", "suffix", "length"), BROKEN)
def test_a_truncated_file_is_refused_where_that_is_asked(kind, suffix, length, world, capsys):
    world.write(f"images/bee/broken.{suffix}", truncated(kind, length))
    refused(capsys, world.measure(CNN, world.path("images"), "--strict"), "broken", "cannot be read", "--strict")
    assert not world.out.exists()


def test_what_can_be_read_is_measured_and_the_rest_is_counted(world, capsys):
    """Truncated files are skipped; grey, deep and transparent ones become RGB; any size is fitted to the network's."""
    for place, (kind, suffix, length) in enumerate(BROKEN):
        world.write(f"images/bee/broken{place}.{suffix}", truncated(kind, length))
    for mode, name in (("L", "grey"), ("I;16", "deep"), ("RGBA", "clear"), ("LA", "grey_clear")):
        world.write(f"images/cat/{name}.png", encoded("PNG", mode=mode))
    for place, size in enumerate([(40, 20), (17, 90), (8, 8)]):
        world.write(f"images/ant/size{place}.png", encoded("PNG", size))
    printed, err = done(capsys, world.measure(CNN, world.path("images")))
    assert (printed["n_images"], printed["n_skipped"]) == (6 + 4 + 3, len(BROKEN))
    [warning] = [warning for warning in printed["warnings"] if "could not be read" in warning]
    assert "broken0" in warning
    assert warning in err
    for word in ("grey", "16-bit", "transparent"):
        assert word in err
    skipped = json.loads((world.out / "run.json").read_text())["images"]["skipped_files"]
    assert len(skipped) == len(BROKEN)


def test_images_of_mixed_sizes_for_a_network_of_any_size(world, capsys):
    world.write("images/ant/wide.png", encoded("PNG", (40, 20)))
    network = world.path("code.py:bare")
    refused(capsys, world.measure(network, world.path("images")), "differ in size", "wide.png", "size=")
    assert not world.out.exists()
    printed, _ = done(capsys, world.measure(f"{network}?size=16", world.path("images")))
    assert printed["n_images"] == 7


def test_classes_that_are_no_outputs_have_agreement(world, capsys):
    for name in ("dog", "eel"):
        world.write(f"images/{name}/0.png", encoded("PNG"))
    printed, err = done(capsys, world.measure(CNN, world.path("images")))
    assert printed["clean_accuracy"] is None
    assert "5 classes" in err
    assert "3 outputs" in err
    assert "--classes" in err


# Options.


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--transformations", "rotaton"], ["rotaton", "Did you mean 'rotation'"]),
        (["--transformations", "rotation", "--magnitudes", "rotation=0,200"], ["-180 to 180", "degrees", "200"]),
        (["--magnitudes", "inversion=half"], ["inversion=half", "cannot be read"]),
        (["--magnitudes", "hue=90"], ["hue", "not among the transformations"]),
        (["--transformations", "gaussian-blur", "--magnitudes", "gaussian-blur=9"], ["16 by 16", "9"]),
        (["--transformations", "jpeg", "--magnitudes", "jpeg=0"], ["1 to 100", "0"]),
        (["--layers", "outpt"], ["outpt", "Did you mean 'output'"]),
        (["--layers", "conv*x"], ["conv*x", "Known"]),
        (["--units", "positions"], ["layers must be named"]),
        (["--device", "gpu"], ["gpu", "cuda:N"]),
        (["--device", "cuda:77"], ["cuda:77", "not here"]),
        (["--tau", "1"], ["tau", "below 1", "1.0"]),
        (["--tau", "-0.5"], ["tau"]),
        (["--limit", "0"], ["limit", "1 or more"]),
        (["--limit", "few"], ["--limit", "few"]),
        (["--batch-size", "0"], ["batch-size"]),
        (["--firing", "2"], ["firing"]),
        (["--memory", "plenty"], ["memory", "2GiB"]),
        (["--seed", "-3"], ["seed"]),
        (["--negative", "drop"], ["drop", "rectify"]),
        (["--group-classes", "nowhere.txt"], ["group-classes", "nowhere.txt"]),
        (["--classes", "nowhere.txt"], ["classes", "nowhere.txt"]),
        (["--invariant", "1.5"], ["invariant", "share"]),
    ],
    ids=lambda value: "=".join(value).replace("--", "") if isinstance(value, list) else None,
)
def test_options_that_cannot_be_used(options, words, world, capsys, monkeypatch):
    monkeypatch.chdir(world.root)
    refused(capsys, world.measure(CNN, world.path("images"), *options), *words)
    assert not world.out.exists()


def test_a_list_of_seen_classes_with_a_stranger(world, capsys):
    world.write("seen.txt", b"ant\nbeee\n")
    refused(
        capsys,
        world.measure(CNN, world.path("images"), "--group-classes", world.path("seen.txt")),
        "Did you mean 'bee'",
    )
    assert not world.out.exists()


def test_too_few_names_of_outputs(world, capsys):
    world.write("names.txt", b"ant\nbee\n")
    refused(
        capsys,
        world.measure(CNN, world.path("images"), "--classes", world.path("names.txt")),
        "2 class names",
        "3 outputs",
    )


# Output.


def test_an_output_directory_with_another_run_is_left_alone(world, capsys):
    done(capsys, world.measure(CNN, world.path("images")))
    before = {path: path.read_bytes() for path in world.out.rglob("*") if path.is_file()}
    refused(capsys, world.measure(CNN, world.path("images")), "finished run", "--resume", "--overwrite")
    refused(capsys, world.measure(CNN, world.path("images"), "--resume", "--tau", "0.3"), "other settings")
    assert {path: path.read_bytes() for path in world.out.rglob("*") if path.is_file()} == before
    printed, _ = done(capsys, world.measure(CNN, world.path("images"), "--overwrite", "--tau", "0.3"))
    assert printed["n_images"] == 6


def test_an_output_directory_that_is_a_file(world, capsys):
    world.write("out", b"mine")
    refused(capsys, world.measure(CNN, world.path("images")), "is a file", "--out")
    assert (world.root / "out").read_bytes() == b"mine"


def test_an_output_below_a_file(world, capsys):
    world.write("file", b"mine")
    code = world.measure(CNN, world.path("images"), "--out", str(world.root / "file" / "run"))
    refused(capsys, code, "file")
