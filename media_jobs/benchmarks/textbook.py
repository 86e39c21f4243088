"""The same recipe, written carefully with Pillow: the benchmark's comparison.

The original is decoded and rotated once, then each size is made of that. Each format has the same
codec, quality, effort and chroma (4:2:0), one thread, and no metadata.
"""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont, ImageOps

from media_jobs.images import AVIF_EFFORT
from media_jobs.recipes import Format, RenditionSpec

AVIF_SPEED = 9 - AVIF_EFFORT
"""libvips' effort, on libaom's scale."""


def textbook_renditions(
    data: bytes, specs: tuple[RenditionSpec, ...], *, drafted: bool = False
) -> list[bytes]:
    """Return every file of the recipe.

    `drafted`: the JPEG decoder first makes a smaller picture, which Pillow offers as `draft`.
    """
    picture: Image.Image = Image.open(BytesIO(data))
    if drafted:
        largest = max(spec.width for spec in specs) / max(picture.size)
        picture.draft("RGB", (int(picture.width * largest), int(picture.height * largest)))
    picture = ImageOps.exif_transpose(picture).convert("RGB")
    files: list[bytes] = []
    for spec in specs:
        if spec.fit == "cover":
            made = ImageOps.fit(picture, (spec.width, spec.height), Image.Resampling.LANCZOS)
        else:
            made = picture.copy()
            made.thumbnail((spec.width, spec.height), Image.Resampling.LANCZOS)
        if spec.watermark:
            made = _watermarked(made)
        files.extend(_encoded(made, file_format) for file_format in spec.formats)
    return files


def _watermarked(picture: Image.Image) -> Image.Image:
    layer = Image.new("RGBA", picture.size)
    font = ImageFont.load_default(size=min(picture.size) // 22)
    place = (picture.width * 3 // 4, picture.height * 9 // 10)
    ImageDraw.Draw(layer).text(place, "Tandem", font=font, fill=(255, 255, 255, 216))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def _encoded(picture: Image.Image, file_format: Format) -> bytes:
    buffer = BytesIO()
    quality = file_format.quality
    match file_format.name:
        case "avif":
            picture.save(
                buffer, "AVIF", quality=quality, speed=AVIF_SPEED, codec="aom", max_threads=1
            )
        case "webp":
            picture.save(buffer, "WEBP", quality=quality)
        case "jpeg":
            picture.save(buffer, "JPEG", quality=quality, progressive=True, optimize=True)
    return buffer.getvalue()
