"""What the model sees has the colours, the size and the orientation of what the camera saw."""

from __future__ import annotations

import itertools

import av
import numpy as np
import pytest
import simplejpeg
from av.video.reformatter import Colorspace, VideoReformatter

from live_vlm_webui.media.jpeg import BYTES, LEAST_QUALITY, compress, fitted, full_range_planes, upright

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 120, 40), (20, 180, 220), (255, 255, 255), (0, 0, 0)]
BT601 = (0.299, 0.114)
BT709 = (0.2126, 0.0722)
LIMITED, FULL = 1, 2
AVCOL_SPC_BT709, AVCOL_SPC_SMPTE170M, AVCOL_SPC_UNSPECIFIED = 1, 6, 2


def yuv(rgb, matrix, full):
    """The definition of YUV, in whole numbers of 8 bits."""
    (red, green, blue), (kr, kb) = (value / 255 for value in rgb), matrix
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    u, v = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    values = (255 * luma, 128 + 255 * u, 128 + 255 * v) if full else (16 + 219 * luma, 128 + 224 * u, 128 + 224 * v)
    return tuple(int(min(255, max(0, round(value)))) for value in values)


def plain(values, width=1280, height=720, pixel_format="yuv420p"):
    """A frame whose planes hold one value each."""
    frame = av.VideoFrame(width, height, pixel_format)
    for plane, value in zip(frame.planes, values, strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return frame


def seen(frame, **settings):
    picture = compress(frame, **settings)
    return simplejpeg.decode_jpeg(picture.jpeg)


def noise(width, height):
    pixels = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
    return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    ("matrix", "tag"),
    [(BT601, AVCOL_SPC_UNSPECIFIED), (BT601, AVCOL_SPC_SMPTE170M), (BT709, AVCOL_SPC_BT709)],
    ids=["untagged", "bt601", "bt709"],
)
@pytest.mark.parametrize("colour_range", [LIMITED, FULL], ids=["limited", "full"])
def test_a_colour_stays_what_it_is(colour, matrix, tag, colour_range):
    frame = plain(yuv(colour, matrix, colour_range == FULL))
    frame.color_range, frame.colorspace = colour_range, tag
    assert np.abs(seen(frame)[180, 320].astype(int) - colour).max() <= 4


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(("pixel_format", "full"), [("yuv420p", False), ("yuvj420p", True)])
def test_a_frame_without_tags_has_the_range_of_its_format(colour, pixel_format, full):
    frame = plain(yuv(colour, BT601, full), pixel_format=pixel_format)
    assert np.abs(seen(frame)[180, 320].astype(int) - colour).max() <= 4


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    "pixel_format", ["rgb24", "bgra", "nv12", "yuv422p", "yuyv422", "yuv420p10le", "p010le", "gbrp"]
)
def test_every_pixel_format_gives_the_same_colour(colour, pixel_format):
    pixels = np.full((720, 1280, 3), colour, np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pixel_format)
    assert np.abs(seen(frame)[180, 320].astype(int) - colour).max() <= 5


def test_a_frame_of_another_matrix_is_converted_and_left_as_it_was():
    source = VideoReformatter().reformat(noise(640, 480), format="yuv420p", dst_colorspace=Colorspace.ITU709)
    before = [bytes(plane) for plane in source.planes]
    compress(source, 320)
    assert (source.colorspace, source.width, source.height) == (AVCOL_SPC_BT709, 640, 480)
    assert [bytes(plane) for plane in source.planes] == before


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (17, 3), (641, 361), (1279, 719), (1, 2000), (3000, 3)])
def test_odd_sizes_keep_their_proportions(size):
    picture = compress(noise(*size))
    assert (picture.width, picture.height) == fitted(*size, 640)
    assert simplejpeg.decode_jpeg(picture.jpeg).shape == (picture.height, picture.width, 3)


def test_a_small_frame_is_not_enlarged():
    assert fitted(320, 180, 640) == (320, 180)
    assert fitted(1280, 720, 640) == (640, 360)
    assert fitted(720, 1280, 640) == (360, 640)
    assert fitted(4000, 1, 640) == (640, 1)


@pytest.mark.parametrize("rotation", [0, 90, -90, 180, -180, 89])
def test_a_turned_frame_is_set_upright(rotation):
    top_left = np.zeros((8, 16), np.uint8)
    top_left[0, 0] = 255
    turned = upright((top_left,), rotation)[0]
    row, column = divmod(int(turned.argmax()), turned.shape[1])
    expected = {0: (8, 16, 0, 0), 90: (16, 8, 15, 0), -90: (16, 8, 0, 7), 180: (8, 16, 7, 15)}
    expected |= {-180: expected[180], 89: expected[90]}
    assert (*turned.shape, row, column) == expected[rotation]
    assert turned.flags["C_CONTIGUOUS"]


def test_planes_have_half_the_chroma_rounded_up():
    shapes = [plane.shape for plane in full_range_planes(noise(1280, 720), 333, 187)]
    assert shapes == [(187, 333), (94, 167), (94, 167)]


def gradient(width, height, contrast):
    """As busy as ``contrast`` says: fine stripes on a slope."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    slope = (columns * 200 // width).astype(int)
    values = np.clip(slope + contrast * ((columns // 3 + rows // 5) % 3), 0, 255).astype(np.uint8)
    return av.VideoFrame.from_ndarray(np.stack([values] * 3, -1), format="rgb24").reformat(format="yuv420p")


def test_a_calm_picture_gets_the_quality_that_was_asked_for():
    frame = gradient(640, 360, 0)
    planes = full_range_planes(frame, 640, 360)
    assert compress(frame, 640, 90).jpeg == simplejpeg.encode_jpeg_yuv_planes(*planes, quality=90)


def test_a_busy_picture_is_compressed_to_its_budget():
    frame = gradient(640, 360, 6)
    planes = full_range_planes(frame, 640, 360)
    assert len(simplejpeg.encode_jpeg_yuv_planes(*planes, quality=90)) > BYTES
    assert BYTES / 2 < len(compress(frame, 640, 90).jpeg) <= BYTES


def test_the_budget_grows_with_the_picture():
    assert len(compress(gradient(1280, 720, 12), 1280, 90).jpeg) > BYTES


def test_noise_is_not_compressed_below_the_least_quality():
    frame = noise(640, 360)
    planes = full_range_planes(frame, 640, 360)
    assert compress(frame, 640, 90).jpeg == simplejpeg.encode_jpeg_yuv_planes(*planes, quality=LEAST_QUALITY)


def test_a_lower_quality_that_is_asked_for_is_kept():
    frame = noise(640, 360)
    planes = full_range_planes(frame, 640, 360)
    assert compress(frame, 640, 10).jpeg == simplejpeg.encode_jpeg_yuv_planes(*planes, quality=10)


def test_less_quality_is_never_more_bytes():
    sizes = [len(compress(gradient(640, 360, 6), 640, quality).jpeg) for quality in (20, 35, 50, 70)]
    assert all(smaller <= larger for smaller, larger in itertools.pairwise(sizes))
