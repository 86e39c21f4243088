#!/bin/sh
# libvips shows a TIFF of grey floats from 0 to 1 black, and the same picture in colour right.
#
# Expected: floating point samples of a TIFF run from 0 (black) to 1 (white), as they do in files of
#   three channels, which libvips reads as scRGB: its white becomes 255 in sRGB.
# Seen (libvips 8.18.7): a file of one channel is read as "b-w", whose white is 255, so that
#   `colourspace("srgb")` leaves 1.0 as 1: a scan or a depth map looks black, without an error.
# So media_jobs/tiff_samples.py looks at the sample format and scales such a picture.
#
# Installs pinned public packages into a temporary folder. Exits 1 once libvips does otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pyvips==3.2.0 pyvips-binary==8.18.7
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import pyvips

print("libvips", *(pyvips.version(part) for part in range(3)))
grey = pyvips.Image.grey(64, 8)  # floats from 0 to 1
grey.write_to_file("grey.tif")
grey.bandjoin([grey, grey]).copy(interpretation="scrgb").write_to_file("colour.tif")
white = {}
for name in ("grey.tif", "colour.tif"):
    read = pyvips.Image.new_from_file(name)
    white[name] = read.colourspace("srgb").max()
    print(f"{name}: {read.interpretation}, white in sRGB is {white[name]:g}")
sys.exit(0 if white == {"grey.tif": 1, "colour.tif": 255} else 1)
PYTHON
