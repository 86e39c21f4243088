#!/bin/sh
# Expected: ffmpeg's zscale makes HLG by ITU-R BT.2100 (table 5), whose OOTF goes by the luminance of
# the three channels. `agamma` ("allow approximate gamma", true by default) should cost precision,
# a code value or two of 1023.
# Seen (ffmpeg n9.0.2 of imageio-ffmpeg 0.8.1): with the default each channel is raised alone, and
# strong colours lose saturation: Cb of a yellow is 346, by BT.2100 it is 324; with agamma=0 325.
# Greys are right either way, so a grey ramp doesn't show it.
# Ends with 1 if that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check imageio-ffmpeg==0.8.1
ffmpeg=$("$folder/venv/bin/python" -c "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())")
"$ffmpeg" -version | head -n 1

# One colour, R'G'B' = 188, 201, 6 of a display of BT.709 whose white has 203 cd/m²; prints Y Cb Cr.
hlg() {
    "$ffmpeg" -v error -f lavfi -i "color=0xBCC906:size=2x2:rate=1:duration=1,format=gbrp" -vf "setparams=colorspace=gbr:range=pc:color_primaries=bt709:color_trc=bt709,format=gbrpf32,\
zscale=primaries=2020:transfer=arib-std-b67:matrix=2020_ncl:range=limited:npl=203:agamma=$1,format=yuv444p10le" \
        -frames:v 1 -f rawvideo - | od -An -v -tu2 -w8 | awk '{printf "%s ", $1} END {print ""}'
}
by_default=$(hlg 1)
exact=$(hlg 0)
echo "BT.2100:  608 324 516"
echo "default:  $by_default"
echo "agamma=0: $exact"
set -- $by_default
default_blue=$2
set -- $exact
[ "$default_blue" -gt 340 ] && [ "$2" -lt 328 ]
