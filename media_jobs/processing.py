"""A media job's work: draws the renditions and writes the files into the claim's folder.

`process` runs outside any transaction and its claim may be lost. So it only writes files, each in
its claim's folder (`rendition_files`); the handler's `on_succeeded` makes them visible in the
transaction that finishes the job.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyvips
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from media_jobs import pickup_pass, videos
from media_jobs.checking import check
from media_jobs.filetypes import HEAD_BYTES, UnusableFileError, check_size, sniff
from media_jobs.images import animations_of, encode, placeholder_of, renditions_of
from media_jobs.limits import picture_time
from media_jobs.models import MediaJob
from media_jobs.output import Output
from media_jobs.recipes import (
    CHECKS,
    PAPERS,
    PDF,
    PICKUP_PASS,
    PNG,
    RECIPES,
    WEBP,
    Format,
    Recipe,
    RenditionSpec,
)
from media_jobs.rendition_files import folder_of, is_whole, local_file, store
from project.conf.media_storage import FULL
from project.jobs.errors import LostClaimError, PermanentError, TransientError

logger = logging.getLogger(__name__)

POSTER_PERCENT, ENCODED_PERCENT = 5, 95
"""The progress of a video's job after its poster, and after the encoding of its sizes."""


def process(job: MediaJob) -> dict[str, Any]:
    """Make every rendition of the job's recipe, or check a shopper's upload; return the result that
    `on_succeeded` reads.

    Existing renditions of exactly this recipe are not made again. Raises PermanentError for
    unusable originals, TransientError while the storage is down.
    """
    if job.recipe in CHECKS:
        return check(job)
    recipe = RECIPES.get(job.recipe)
    if recipe is None:
        raise PermanentError(_("There is no recipe called “%s”.") % job.recipe)
    try:
        if job.recipe_hash == recipe.hash and job.result and is_whole(job):
            return job.result
        return _Work(job, recipe).do()
    except UnusableFileError as error:
        raise PermanentError(str(error)) from error
    except SoftTimeLimitExceeded as error:
        raise PermanentError(
            _("It took too long. The picture is too complex for this machine.")
        ) from error
    except MemoryError as error:  # see `limit_memory` in project/celery.py
        raise PermanentError(
            _("It needs more memory than a job may have. Make the original smaller.")
        ) from error
    except OSError as error:
        if error.errno in FULL:
            raise PermanentError(
                _("The storage is full (%s). Make room, then retry the job.") % error
            ) from error
        raise TransientError(_("The storage doesn't answer: %s") % error) from error


class _Work:
    """One claim's work on one job: the files it has stored so far, and its progress."""

    def __init__(self, job: MediaJob, recipe: Recipe) -> None:
        self._job = job
        self._recipe = recipe
        self._folder = folder_of(job, recipe)
        self._percent = 0
        self._placeholder = ""

    def do(self) -> dict[str, Any]:
        if self._recipe.videos:
            with TemporaryDirectory(prefix="tandem-video-") as workspace:
                renditions = self._stored(self._from_video(Path(workspace)))
        else:
            with picture_time():
                renditions = self._stored(self._from_picture())
        return {
            "renditions": renditions,
            "placeholder": self._placeholder,
            "recipe_hash": self._recipe.hash,
        }

    def _stored(self, outputs: Iterator[tuple[Output, int]]) -> list[dict[str, Any]]:
        """Store one file after another, and show the progress with each.

        Of a job's only file its end says enough.
        """
        renditions = []
        for output, percent in outputs:
            renditions.append(store(self._folder, output))
            if len(renditions) > 1 or percent < 100:
                self._show(percent)
        return renditions

    def _from_picture(self) -> Iterator[tuple[Output, int]]:
        """Yield each file with the job's progress once it is stored."""
        if self._recipe not in (PICKUP_PASS, *PAPERS):
            yield from self._pictures(self._original())
            return
        (spec,) = self._recipe.renditions
        if self._recipe in PAPERS:
            yield self._paper(spec), 100
            return
        drawn = pickup_pass.draw(self._job.context)
        yield Output(spec.name, PNG.name, spec.width, spec.height, drawn), 100

    def _paper(self, spec: RenditionSpec) -> Output:
        from media_jobs.papers import typesetting, words  # the typesetter loads when it is needed

        recipe, context = self._recipe.name, self._job.context
        written = words.write(recipe, context)
        content = typesetting.pdf_of([written], created=context.get("issued"))
        name = words.file_name(recipe, context)
        return Output(name, PDF.name, spec.width, spec.height, content)

    def _pictures(
        self, data: bytes, *, first: int = 0, last: int = 100
    ) -> Iterator[tuple[Output, int]]:
        """Make the recipe's pictures of an original picture, or of a video's poster."""
        specs = self._recipe.renditions
        moving = {output.name: output for output in animations_of(data, specs)}
        steps = sum(len(spec.formats) for spec in specs)
        step = 0
        for spec, picture in renditions_of(data, specs):
            self._placeholder = self._placeholder or placeholder_of(picture)
            for file_format in spec.formats:
                step += 1
                percent = first + (last - first) * step // steps
                if spec.name not in moving or file_format is spec.formats[-1]:
                    yield _encoded(spec, picture, file_format), percent
                elif file_format is WEBP:
                    yield moving[spec.name], percent

    def _from_video(self, workspace: Path) -> Iterator[tuple[Output, int]]:
        """Yield the poster's pictures, then each size as MP4 and HLS."""
        path = local_file(self._original_name(), workspace)
        with path.open("rb") as original:
            filetype = sniff(original.read(HEAD_BYTES))
        check_size(path.stat().st_size, filetype)
        video = videos.look(path, filetype, folder=workspace, progress=self._still_wanted)
        poster = videos.poster_of(video, folder=workspace, progress=self._still_wanted)
        with picture_time():
            yield from list(self._pictures(poster, last=POSTER_PERCENT))

        def encoding(seconds: float) -> None:
            done = min(1.0, seconds / video.seconds)
            self._show(POSTER_PERCENT + int(done * (ENCODED_PERCENT - POSTER_PERCENT)))

        made = videos.encode(video, self._recipe, folder=workspace, progress=encoding)
        for output in made:
            yield output, ENCODED_PERCENT

    def _original(self) -> bytes:
        with default_storage.open(self._original_name()) as original:
            check_size(original.size, sniff(original.read(HEAD_BYTES)))
            original.seek(0)
            return bytes(original.read())

    def _original_name(self) -> str:
        """Return the original's path: an asset's, or that of a shopper's upload."""
        if self._recipe.private:
            return str(self._job.context["file"])
        if self._job.asset is None:
            raise PermanentError(_("The original of this job was deleted."))
        return str(self._job.asset.file.name)

    def _show(self, percent: int) -> None:
        """Show the job's progress, which never goes back. Stops the work if its claim was lost."""
        self._percent = max(self._percent, percent)
        self._still_wanted()

    def _still_wanted(self, _seconds: float = 0.0) -> None:
        """Stop the work if its claim was lost or its job cancelled."""
        if not MediaJob.objects.set_progress(self._job, self._percent):
            raise LostClaimError(self._job.pk)


def _encoded(spec: RenditionSpec, picture: pyvips.Image, file_format: Format) -> Output:
    content = encode(picture, file_format)
    return Output(spec.name, file_format.name, picture.width, picture.height, content)
