"""Pictures are taken as what they are, and refused in words before they can do harm."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import av
import numpy as np
import pytest
import simplejpeg

from live_vlm_webui.errors import InputError
from live_vlm_webui.media import still as module
from live_vlm_webui.media.jpeg import compress
from live_vlm_webui.media.still import MAX_PIXELS, MAX_SCANS, PNG, decode, inspect

CORNERS = {"top left": (255, 0, 0), "top right": (0, 255, 0), "bottom left": (0, 0, 255), "bottom right": (255, 255, 0)}
ENCODERS = {"jpeg": ("mjpeg", "yuvj420p"), "png": ("png", "rgb24"), "webp": ("libwebp", "yuv420p")}


def pixels(width=96, height=64):
    """A colour in each quarter."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = CORNERS["top left"]
    image[: height // 2, width // 2 :] = CORNERS["top right"]
    image[height // 2 :, : width // 2] = CORNERS["bottom left"]
    image[height // 2 :, width // 2 :] = CORNERS["bottom right"]
    return image


def file_of(encoder, pixel_format, image=None, **options):
    frame = av.VideoFrame.from_ndarray(pixels() if image is None else image, format="rgb24")
    context = av.CodecContext.create(encoder, "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, pixel_format
    context.time_base, context.options = Fraction(1, 1), options
    if encoder == "mjpeg":
        context.options = {"strict": "unofficial"} | options
    packets = context.encode(frame.reformat(format=pixel_format)) + context.encode(None)
    return b"".join(bytes(packet) for packet in packets)


def corners(image):
    """Which of the four colours is in which corner."""
    seen = simplejpeg.decode_jpeg(compress(image, quality=95).jpeg).astype(int)
    height, width = seen.shape[:2]
    places = {
        "top left": seen[height // 4, width // 4],
        "top right": seen[height // 4, -width // 4],
        "bottom left": seen[-height // 4, width // 4],
        "bottom right": seen[-height // 4, -width // 4],
    }
    return {
        place: min(CORNERS, key=lambda name: np.abs(colour - CORNERS[name]).sum()) for place, colour in places.items()
    }


SAME = {place: place for place in CORNERS}


@pytest.mark.parametrize("name", ENCODERS)
def test_each_format_is_decoded_in_its_colours(name):
    still = inspect(file_of(*ENCODERS[name]))
    assert (still.width, still.height) == (96, 64)
    image = decode(still)
    assert (image.width, image.height) == (96, 64)
    assert corners(image) == SAME
    red = simplejpeg.decode_jpeg(compress(image, quality=95).jpeg)[10, 10].astype(int)
    assert np.abs(red - (255, 0, 0)).max() < 8


@pytest.mark.parametrize("pixel_format", ["rgba", "rgb48be", "rgba64be", "pal8"])
def test_each_kind_of_png_is_decoded_in_its_colours(pixel_format):
    data = palette_png() if pixel_format == "pal8" else file_of("png", pixel_format)
    assert corners(decode(inspect(data))) == SAME


@pytest.mark.parametrize("pixel_format", ["gray", "ya8", "gray16be", "monob"])
def test_pictures_without_colour_stay_grey(pixel_format):
    grey = np.zeros((64, 96, 3), np.uint8)
    grey[:, 48:] = 255
    image = decode(inspect(file_of("png", pixel_format, grey)))
    seen = simplejpeg.decode_jpeg(compress(image, quality=95).jpeg).astype(int)
    assert np.abs(seen[32, 10]).max() < 4
    assert np.abs(seen[32, 90] - 255).max() < 4


def test_a_grey_jpeg_stays_grey():
    values = np.full((64, 96, 1), 77, np.uint8)
    image = decode(inspect(simplejpeg.encode_jpeg(values, colorspace="GRAY", colorsubsampling="Gray")))
    assert np.abs(simplejpeg.decode_jpeg(compress(image, quality=95).jpeg).astype(int) - 77).max() < 4


@pytest.mark.parametrize("subsampling", ["444", "422", "420", "440"])
def test_each_kind_of_jpeg_is_decoded_in_its_colours(subsampling):
    data = simplejpeg.encode_jpeg(pixels(), quality=90, colorsubsampling=subsampling)
    assert corners(decode(inspect(data))) == SAME


def with_orientation(data, orientation, order):
    mark = b"II" if order == "<" else b"MM"
    exif = mark + struct.pack(f"{order}HIHHHIHH", 42, 8, 1, 0x0112, 3, 1, orientation, 0) + bytes(4)
    segment = b"Exif\0\0" + exif
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


TURNED = {
    1: ("top left", "top right", "bottom left", "bottom right"),
    2: ("top right", "top left", "bottom right", "bottom left"),
    3: ("bottom right", "bottom left", "top right", "top left"),
    4: ("bottom left", "bottom right", "top left", "top right"),
    5: ("top left", "bottom left", "top right", "bottom right"),
    6: ("bottom left", "top left", "bottom right", "top right"),
    7: ("bottom right", "top right", "bottom left", "top left"),
    8: ("top right", "bottom right", "top left", "bottom left"),
}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", TURNED)
def test_a_photograph_is_turned_upright(orientation, order):
    image = decode(inspect(with_orientation(file_of(*ENCODERS["jpeg"]), orientation, order)))
    assert (image.width, image.height) == ((64, 96) if orientation > 4 else (96, 64))
    assert corners(image) == dict(zip(CORNERS, TURNED[orientation], strict=True))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_upright(orientation):
    assert corners(decode(inspect(with_orientation(file_of(*ENCODERS["jpeg"]), orientation, "<")))) == SAME


def test_a_large_picture_is_scaled_down_once(monkeypatch):
    monkeypatch.setattr(module, "MAX_SIDE", 48)
    image = decode(inspect(file_of(*ENCODERS["png"])))
    assert (image.width, image.height) == (48, 32)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (97, 63), (2, 1)])
def test_odd_sizes_are_taken(size):
    image = decode(inspect(file_of("png", "rgb24", pixels(*size))))
    assert (image.width, image.height) == size


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, *chunks, colours=0):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0))
    return PNG + header + b"".join(chunks) + chunk(b"IEND", b"")


def palette_png():
    rows = np.zeros((64, 96), np.uint8)
    rows[:32, 48:], rows[32:, :48], rows[32:, 48:] = 1, 2, 3
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    colours = b"".join(bytes(colour) for colour in CORNERS.values())
    return png(96, 64, chunk(b"PLTE", colours), chunk(b"IDAT", data), colours=3)


def frame_header(width, height):
    sof = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + sof + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\xff\xd9"


@pytest.mark.parametrize(
    "data",
    [
        png(50_000, 50_000, chunk(b"IDAT", zlib.compress(bytes(100)))),
        frame_header(60_000, 60_000),
        b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\xff\x3f" * 2,
        b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8 " + struct.pack("<I", 10) + bytes(6) + b"\xff\x3f\xff\x3f",
        b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8L" + struct.pack("<I", 10) + b"\x2f\xff\xff\xff\x0f" + bytes(5),
    ],
    ids=["png", "jpeg", "webp", "webp lossy", "webp lossless"],
)
def test_a_small_file_with_too_many_pixels_is_refused_before_it_is_decoded(data):
    with pytest.raises(InputError, match="limit is 26 million"):
        inspect(data)


def test_texts_and_profiles_of_a_png_are_not_unpacked():
    bomb = zlib.compress(bytes(5_000_000), 9)
    extras = [chunk(b"zTXt", b"Comment\0\0" + bomb), chunk(b"iCCP", b"Profile\0\0" + bomb)]
    still = inspect(png(4, 4, *extras, chunk(b"IDAT", zlib.compress(bytes(20)))))
    assert len(still.data) < 200
    assert decode(still).width == 4


def test_a_jpeg_of_very_many_scans_is_refused():
    data = file_of(*ENCODERS["jpeg"])
    scan = data[data.index(b"\xff\xda") : -2]
    with pytest.raises(InputError, match="scans"):
        decode(inspect(data[:-2] + scan * MAX_SCANS + b"\xff\xd9"))


def test_too_many_bytes_are_refused_before_anything_is_read():
    with pytest.raises(InputError, match=r"17\.0 MiB; the limit is 16"):
        inspect(b"\xff\xd8" + bytes(17 * 2**20 - 2))


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_a_picture_that_was_cut_off_is_refused(name, share):
    data = file_of(*ENCODERS[name])
    with pytest.raises(InputError):
        decode(inspect(data[: int(len(data) * share)]))


def test_a_photograph_that_was_cut_off_is_refused_though_its_thumbnail_is_whole():
    data, thumbnail = file_of(*ENCODERS["jpeg"]), file_of(*ENCODERS["jpeg"], pixels(16, 16))
    segment = b"Exif\0\0" + thumbnail
    photograph = data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    assert corners(decode(inspect(photograph))) == SAME
    with pytest.raises(InputError, match="incomplete"):
        decode(inspect(photograph[:-40]))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"hello", "not a picture"),
        (b"\xff", "not a picture"),
        (b"\xff\xd8\xff", "incomplete"),
        (b"\xff\xd8\x00\x00\x00\x00", "damaged"),
        (PNG, "incomplete"),
        (PNG + chunk(b"IEND", b""), "damaged"),
        (b"RIFF\x04\0\0\0WEBP", "damaged"),
        (b"RIFF\xff\0\0\0WEBPVP8 ", "incomplete"),
        (b"RIFF\x0d\0\0\0WEBPVP8X\x0a\0\0\0\x02", "animation"),
        (b"GIF89a....", "GIF pictures"),
        (b"\0\0\0\x18ftypheic....", "HEIC pictures"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG pictures"),
        (png(0, 4, chunk(b"IDAT", b"")), "no pixels"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(data, says):
    with pytest.raises(InputError, match=says) as raised:
        inspect(data)
    assert raised.value.remedy


@pytest.mark.parametrize("name", ENCODERS)
def test_damaged_pictures_are_refused_or_shown_and_nothing_else(name):
    data = file_of(*ENCODERS[name])
    random = np.random.default_rng(7)
    for _ in range(60):
        damaged = bytearray(data)
        for at in random.integers(0, len(data), 6):
            damaged[at] = random.integers(0, 256)
        try:
            image = decode(inspect(bytes(damaged)))
        except InputError as error:
            assert error.remedy
        else:
            assert 0 < image.width * image.height <= MAX_PIXELS
