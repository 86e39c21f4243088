"""The media's benchmark (`manage.py bench media`)."""

from project.benchmarks import Benchmark, Report, register


def _bench_media() -> Report:
    from media_jobs.benchmarks.media import bench_media  # the decoders, and Pillow

    return bench_media()


register(
    Benchmark(
        name="media",
        summary="a photo against Pillow, a video against bare ffmpeg, passes, two workers",
        run=_bench_media,
    )
)
