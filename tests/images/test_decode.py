"""Bytes to pixels: every mode, every kind of damage."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from invariscope.core.errors import ImageError
from invariscope.images.decode import MAX_PIXELS, Unreadable, decode


def encoded(picture: Image.Image, kind: str = "PNG", **settings) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def colours(height: int = 6, width: int = 9, channels: int = 3) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(0)).integers(0, 256, (height, width, channels), dtype=np.uint8)


def smooth() -> Image.Image:
    return Image.fromarray(colours(5, 7)).resize((70, 50), Image.Resampling.BICUBIC)


def png_of_size(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def test_a_colour_png_is_read_bit_for_bit():
    pixels, stored_as = decode(encoded(Image.fromarray(colours())))
    assert stored_as is None
    np.testing.assert_array_equal(pixels.permute(1, 2, 0).numpy(), colours())


def test_a_jpeg_is_what_pillow_makes_of_it():
    data = encoded(smooth(), "JPEG", quality=90)
    pixels, stored_as = decode(data)
    assert stored_as is None
    expected = np.asarray(Image.open(io.BytesIO(data)))
    assert np.abs(pixels.permute(1, 2, 0).numpy().astype(int) - expected).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_exif_orientation_is_applied(orientation, kind):
    picture = smooth()
    exif = Image.Exif()
    exif[0x0112] = orientation
    settings = {"quality": 95} if kind == "JPEG" else {}
    data = encoded(picture, kind, exif=exif, **settings)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")).astype(int)
    pixels, _ = decode(data)
    assert pixels.shape[1:] == expected.shape[:2] == ((50, 70) if orientation < 5 else (70, 50))
    assert np.abs(pixels.permute(1, 2, 0).numpy() - expected).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_grey_becomes_three_equal_channels(kind):
    pixels, stored_as = decode(encoded(smooth().convert("L"), kind))
    assert stored_as == "grey"
    assert torch.equal(pixels[0], pixels[1])
    assert torch.equal(pixels[0], pixels[2])


def test_one_bit_is_black_and_white():
    pixels, stored_as = decode(encoded(Image.fromarray(colours()[..., 0] > 128)))
    assert stored_as == "grey"
    assert set(pixels.unique().tolist()) == {0, 255}


def test_sixteen_bits_are_divided_and_not_clipped():
    levels = np.array([[0, 256, 257, 32768, 65535]], dtype=np.uint16)
    pixels, stored_as = decode(encoded(Image.fromarray(levels)))
    assert stored_as == "16-bit"
    assert pixels[0].tolist() == [[0, 1, 1, 128, 255]]


def test_the_whole_range_of_32_bit_integers_is_unknown():
    with pytest.raises(Unreadable, match="no known range"):
        decode(encoded(Image.fromarray(np.array([[0, 1 << 20]], dtype=np.int32)), "TIFF"))


def test_floating_point_pixels_have_no_known_range():
    with pytest.raises(Unreadable, match="floating-point"):
        decode(encoded(Image.fromarray(np.ones((2, 2), np.float32)), "TIFF"))


def test_transparency_is_dropped_and_colours_kept():
    rgba = colours(channels=4)
    pixels, stored_as = decode(encoded(Image.fromarray(rgba)))
    assert stored_as == "transparent"
    np.testing.assert_array_equal(pixels.permute(1, 2, 0).numpy(), rgba[..., :3])


def test_a_palette_is_looked_up():
    picture = Image.fromarray(colours()).quantize(16)
    pixels, stored_as = decode(encoded(picture))
    assert stored_as == "palette"
    np.testing.assert_array_equal(pixels.permute(1, 2, 0).numpy(), np.asarray(picture.convert("RGB")))


def test_a_transparent_palette_is_looked_up_without_a_warning():
    picture = Image.fromarray(colours()).quantize(16)
    pixels, _ = decode(encoded(picture, transparency=bytes(range(16))))
    np.testing.assert_array_equal(pixels.permute(1, 2, 0).numpy(), np.asarray(picture.convert("RGB")))


def test_cmyk_jpegs_go_through_pillow():
    data = encoded(smooth().convert("CMYK"), "JPEG", quality=95)
    pixels, stored_as = decode(data)
    assert stored_as == "CMYK"
    np.testing.assert_array_equal(
        pixels.permute(1, 2, 0).numpy(), np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_truncated_file_is_unreadable_and_never_ends_the_process(kind, share):
    data = encoded(smooth(), kind)
    with pytest.raises(Unreadable):
        decode(data[: int(share * len(data))])


@pytest.mark.parametrize("data", [b"", b"no image", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", bytes(1000)])
def test_what_is_no_image_is_unreadable(data):
    with pytest.raises(Unreadable, match=r"\w"):
        decode(data)


def test_damaged_bytes_are_an_image_or_unreadable_but_nothing_else():
    draw = np.random.Generator(np.random.PCG64(1))
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF"):
        sound = np.frombuffer(encoded(smooth(), kind), np.uint8)
        for _ in range(20):
            damaged = sound.copy()
            damaged[draw.integers(len(sound), size=5)] = draw.integers(256, size=5)
            try:
                pixels, _ = decode(damaged.tobytes())
            except (Unreadable, ImageError):
                continue
            assert pixels.dtype == torch.uint8


def test_a_decompression_bomb_is_an_error_that_names_the_file():
    with pytest.raises(ImageError, match=r"big\.png would unpack to 50000 × 50000 pixels.*decompression bomb"):
        decode(png_of_size(50_000, 50_000), "big.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_000, 30_000])
def test_a_bomb_in_another_format_is_one_too(side):
    small = bytearray(encoded(Image.new("RGB", (8, 8)), "BMP"))
    small[18:26] = struct.pack("<ii", side, side)
    assert side**2 > MAX_PIXELS
    with pytest.raises(ImageError, match="decompression bomb"):
        decode(bytes(small), "big.bmp")


def test_the_first_frame_of_an_animation_is_the_image():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    pixels, _ = decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert pixels[:, 0, 0].tolist() == [255, 0, 0]
