"""Originals for the benchmark, the same at each run: a photo of 12 megapixels, a video."""

import subprocess
from pathlib import Path

import pyvips

from media_jobs.ffmpeg import binary

WIDTH, HEIGHT = 4000, 3000
FILM_SECONDS = 10


def photo() -> bytes:
    """Return a JPEG like a telephone's: shapes of all sizes, a little noise, rotated."""
    bands = []
    for seed in range(3):
        light = pyvips.Image.black(WIDTH, HEIGHT) + 110
        for cell, strength in ((1024, 80), (256, 40), (64, 20), (16, 9)):
            shapes = pyvips.Image.perlin(WIDTH, HEIGHT, cell_size=cell, seed=seed)
            light += shapes * strength
        bands.append(light + pyvips.Image.gaussnoise(WIDTH, HEIGHT, mean=0, sigma=3, seed=seed))
    picture = bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")
    picture.set_type(pyvips.GValue.gint_type, "orientation", 6)
    data: bytes = picture.jpegsave_buffer(Q=92)
    return data


def tiny() -> bytes:
    """Return a small JPEG to warm up with."""
    picture = (pyvips.Image.black(64, 64, bands=3) + 99).cast("uchar")
    data: bytes = picture.copy(interpretation="srgb").jpegsave_buffer()
    return data


def film(folder: Path) -> Path:
    """Return an MP4 of 1080p with sound in `folder`."""
    path = folder / "original.mp4"
    subprocess.run(
        [
            *(binary(), "-v", "error", "-y"),
            *("-f", "lavfi", "-i", f"testsrc2=size=1920x1080:rate=25:duration={FILM_SECONDS}"),
            *("-f", "lavfi", "-i", f"sine=frequency=440:duration={FILM_SECONDS}"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
            *("-c:a", "aac", str(path)),
        ],
        check=True,
        timeout=300,
    )
    return path
