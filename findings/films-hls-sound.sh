#!/bin/sh
# Expected: a playlist by ffmpeg's HLS muxer is as long as what it plays: five seconds of sound
# beside one second of pictures are five seconds, by the sum of its EXTINF (RFC 8216, 4.3.2.1).
# Seen (ffmpeg n9.0.2 of imageio-ffmpeg 0.8.1): one second. The file holds all of the sound, but the
# playlist tells players that it ends with the pictures.
# Ends with 1 if that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check imageio-ffmpeg==0.8.1
ffmpeg=$("$folder/venv/bin/python" -c "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())")
"$ffmpeg" -version | head -n 1

cd "$folder"
"$ffmpeg" -v error -f lavfi -i testsrc=size=160x90:rate=10:duration=1 -f lavfi -i sine=duration=5 \
    -c:v libx264 -pix_fmt yuv420p -c:a aac -f hls -hls_time 4 -hls_playlist_type vod \
    -hls_segment_type fmp4 -hls_flags single_file -hls_segment_filename film.mp4 film.m3u8
grep EXTINF film.m3u8
seconds=$(awk -F '[:,]' '/EXTINF/ {sum += $2} END {print sum}' film.m3u8)
sound=$("$ffmpeg" -v error -i film.mp4 -map 0:a -f s16le -ac 1 -ar 1000 - | wc -c)
echo "the playlist says $seconds s, the file has $((sound / 2)) ms of sound"
[ "$seconds" = 1 ] && [ "$sound" -gt 9800 ]
