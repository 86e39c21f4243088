#!/bin/sh
# libvips keeps the whole gain map of an Ultra HDR photo that it has cut, flipped or turned.
#
# Expected: the map is cut, flipped and turned with its picture, as `thumbnail` does, or is dropped.
# Seen with libvips 8.18.7: crop, flip, rot90 and embed leave the map as it was, and the saver
#   writes it: a bright screen then shows light where the picture has none.
# So media_jobs/gain_map.py drops the map of what is cut.
#
# Installs pinned public packages into a temporary folder. Exits 1 once libvips does otherwise.
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
light = pyvips.Image.black(200, 100, bands=3).linear(1, 0.2).copy(interpretation="scrgb")
bright = light.draw_rect([4.0, 4.0, 4.0], 0, 0, 50, 50, fill=True)
photo = pyvips.Image.uhdrload_buffer(bright.uhdrsave_buffer())


def size(picture):
    gain_map = picture.get_gainmap().copy_memory()
    return gain_map.width, gain_map.height


print("map of the photo:", size(photo))
smaller = photo.thumbnail_image(100)
print("thumbnail:", size(smaller))
changed = {
    "crop": photo.crop(0, 0, 50, 50),
    "rot90": photo.rot90(),
    "embed": photo.embed(50, 50, 300, 200),
}
for name, picture in changed.items():
    print(f"{name}:", size(picture))
corner = photo.fliphor().get_gainmap().copy_memory()(2, 2)[0]
print("flip: the map's upper left corner is", corner, "as before:", corner > 100)
kept = all(size(picture) == size(photo) for picture in changed.values()) and corner > 100
sys.exit(0 if kept else 1)
PYTHON
