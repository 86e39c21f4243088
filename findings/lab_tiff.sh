#!/bin/sh
# libvips can't read back the 8-bit CIELAB TIFF that it has written itself, nor anybody else's.
#
# Expected: a TIFF of photometric interpretation 8 (CIELab) with 8 bits a sample, as photo editors
#   write it, is loaded, as the 16-bit and the float ones are.
# Seen with libvips 8.18.7: "image: bad labq format".
# So media_jobs/lab_tiff.py reads such a file as RGB and translates its samples.
#
# Installs pinned public packages into a temporary folder. Exits 1 once libvips reads the file: then
# media_jobs/lab_tiff.py can go.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pyvips==3.2.0 pyvips-binary==8.18.7
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import pyvips

print("libvips", *(pyvips.version(part) for part in range(3)))
grey = pyvips.Image.black(8, 8, bands=3).copy(interpretation="srgb").cast("uchar")
for kind in ("lab", "labs", "labq"):
    written = grey.colourspace(kind).tiffsave_buffer()
    try:
        read = pyvips.Image.new_from_buffer(written, "").interpretation
    except pyvips.Error as error:
        read = str(error).strip().splitlines()[-1]
    print(f"{kind}: {read}")
sys.exit(0 if "bad labq format" in read else 1)
PYTHON
