"""A file's type is what its first bytes say."""

import pytest

from media_jobs.filetypes import (
    HEAD_BYTES,
    JPEG,
    MP4,
    PNG,
    WEBP,
    UnusableFileError,
    check_size,
    sniff,
)
from tests.media_jobs.originals import alpha_png, photo, saved


@pytest.mark.parametrize(
    ("file_format", "content_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("AVIF", "image/avif"),
        ("GIF", "image/gif"),
        ("TIFF", "image/tiff"),
    ],
)
def test_the_types_that_are_taken_are_known_by_their_first_bytes(file_format, content_type):
    head = saved(photo(), file_format)[:HEAD_BYTES]

    assert sniff(head).content_type == content_type


@pytest.mark.parametrize(
    "content",
    [
        b"Dear shop, here is my picture.",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"%PDF-1.7 ...",
        b"PK\x03\x04 a zip file",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"\x00\x00\x00\x18ftypM4A ",
        b"\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00M4A mp42isom",  # sound
        b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom",  # a camera's raw file
        # A brand behind the end of its box is none.
        b"\x00\x00\x00\x14ftypabcd\x00\x00\x00\x00abcdmp42",
        b"#EXTM3U\n#EXTINF:1,\nhttp://example.org/a.ts\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\x1a\x45\xdf\xa3\x93\x42\x82\x88unknown!",
    ],
)
def test_what_is_not_a_picture_is_refused_with_what_to_choose_instead(content):
    with pytest.raises(
        UnusableFileError, match=r"Choose a picture \(JPEG, PNG, WebP, AVIF, GIF, TIFF\)"
    ):
        sniff(content)


def test_an_empty_file_is_called_empty():
    with pytest.raises(UnusableFileError, match="The file is empty"):
        sniff(b"")


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\x00\x00\x14ftypheic\x00\x00\x00\x00mif1",
        b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1heicMiHB",
    ],
)
def test_heic_gets_advice_of_its_own(head):
    with pytest.raises(UnusableFileError, match="Export the picture as JPEG"):
        sniff(head)


def test_a_picture_of_an_unknown_codec_is_told_which_can_be_used():
    with pytest.raises(UnusableFileError, match=r"This kind of picture.*JPEG, PNG, WebP"):
        sniff(b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1vvic")


def test_a_file_at_the_limit_passes_and_a_larger_one_is_told_the_limit():
    check_size(25_000_000, PNG)
    check_size(500_000_000, MP4)

    with pytest.raises(UnusableFileError, match=r"picture has 25\.0 MB; at most 25 MB"):
        check_size(25_000_001, PNG)
    with pytest.raises(UnusableFileError, match=r"video has 500\.0 MB; at most 500 MB"):
        check_size(500_000_001, MP4)


def test_the_limits_are_settings(settings):
    settings.MEDIA_MAX_PICTURE_MB, settings.MEDIA_MAX_VIDEO_MB = 1, 2

    with pytest.raises(UnusableFileError, match="at most 1 MB"):
        check_size(1_500_000, PNG)
    with pytest.raises(UnusableFileError, match="at most 2 MB"):
        check_size(2_500_000, MP4)


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4"),
        (b"\x00\x00\x00\x1cftypXAVC\x01\x00\x1f\xffXAVCmp42iso2", "video/mp4"),  # Sony
        (b"\x00\x00\x00\x18ftypCAEP\x00\x00\x00\x00mp42CAEP", "video/mp4"),  # Canon
        (b"\x00\x00\x00\x18ftyppana\x00\x00\x00\x00mp42avc1", "video/mp4"),  # Panasonic
        (b"\x00\x00\x00\x1cftypf4v \x00\x00\x00\x00isommp42m4v ", "video/mp4"),  # Adobe
        (b"\x00\x00\x00\x18ftypniko\x00\x00\x00\x00niko" + b"qt  ", "video/quicktime"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf", "image/avif"),
        (b"\x00\x00\x00\x1cftypmiaf\x00\x00\x00\x00mif1miafavis", "image/avif"),
        (b"\x00\x00\x00\x14ftypqt  ", "video/quicktime"),
        (b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", "video/quicktime"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm\x42\x87", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "video/x-matroska"),
    ],
)
def test_files_of_boxes_and_of_matroska_are_known_by_their_first_bytes(head, content_type):
    assert sniff(head).content_type == content_type


def file_type(*brands: bytes) -> bytes:
    """A file that begins with these brands, the major one first."""
    size = 12 + 4 * len(brands)
    box = size.to_bytes(4) + b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return box + b"\x00\x00\x00\x08mdat"


@pytest.mark.parametrize(
    ("brands", "content_type"),
    [
        ((b"XAVC", b"XAVC", b"mp42", b"iso2"), "video/mp4"),  # Sony
        ((b"pana", b"pana", b"mp42"), "video/mp4"),  # Panasonic
        ((b"CAEP", b"CAEP", b"mp42"), "video/mp4"),  # Canon
        ((b"f4v ", b"isom", b"mp42", b"m4v "), "video/mp4"),  # Adobe
        ((b"niko", b"qt  ", b"niko"), "video/quicktime"),
    ],
)
def test_a_film_of_a_makers_own_brand_is_known_by_those_that_it_is_compatible_with(
    brands, content_type
):
    assert sniff(file_type(*brands)).content_type == content_type


@pytest.mark.parametrize(
    "brands",
    [
        (b"M4A ", b"M4A ", b"mp42", b"isom"),
        (b"M4B ", b"M4B ", b"mp42", b"isom"),
        (b"F4A ", b"mp42", b"isom"),
        (b"crx ", b"crx ", b"isom"),
        (b"what", b"what"),
    ],
)
def test_what_is_no_film_is_refused_whatever_it_is_compatible_with(brands):
    with pytest.raises(UnusableFileError, match="This file can't be used"):
        sniff(file_type(*brands))


def test_brands_are_read_no_further_than_their_box():
    with pytest.raises(UnusableFileError):
        sniff(file_type(b"what", b"what") + b"isomisomisom")


def test_the_name_plays_no_part():
    assert sniff(alpha_png()[:HEAD_BYTES]) is PNG
    assert sniff(saved(photo(), "WEBP")[:HEAD_BYTES]) is WEBP
    assert sniff(saved(photo(), "JPEG")[:HEAD_BYTES]) is JPEG
