"""Checks a shopper's upload before it can be ordered, so that no order has an impossible print.

The job's result is the verdict. An unusable file is not a failed job: no operator must look at it.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import translation
from django.utils.translation import gettext as _

from media_jobs import videos
from media_jobs.decoding import decoded, opened
from media_jobs.filetypes import HEAD_BYTES, UnusableFileError, check_size, sniff
from media_jobs.limits import picture_time
from media_jobs.models import MediaJob
from media_jobs.recipes import CHECK_VIDEO, PRINT_PICTURE
from media_jobs.rendition_files import local_file
from project.jobs.errors import LostClaimError, TransientError

LOOKED_PERCENT, TRIED_PERCENT = 10, 95
"""Progress of a video's check once its packets are counted, and once all of it is decoded."""


def check(job: MediaJob) -> dict[str, Any]:
    """Decode the job's file as its print job will. The result's `refusal` is the reason against the
    file, in the shopper's language, or empty.

    Of a video all pictures and the sound are decoded, by the rules of encoding.
    Raises TransientError while the storage is down, LostClaimError.
    """
    with translation.override(str(job.context.get("language") or settings.LANGUAGE_CODE)):
        refusal = ""
        try:
            _decode(job)
        except UnusableFileError as error:
            refusal = str(error)
        except SoftTimeLimitExceeded:
            refusal = _("The file is too complex to be opened here. Export it anew and try again.")
        except MemoryError:
            refusal = _("The file needs more memory than there is here. Make it smaller.")
        except OSError as error:
            raise TransientError(_("The storage doesn't answer: %s") % error) from error
    return {"refusal": refusal, "renditions": [], "placeholder": "", "recipe_hash": ""}


def _decode(job: MediaJob) -> None:
    name = str(job.context["file"])
    if job.recipe != CHECK_VIDEO:
        with default_storage.open(name) as file:
            check_size(file.size, sniff(file.read(HEAD_BYTES)))
            file.seek(0)
            data = bytes(file.read())
        _decode_picture(data)
        return
    with TemporaryDirectory(prefix="tandem-check-") as folder:
        _decode_video(job, name, Path(folder))


def _decode_picture(data: bytes) -> None:
    with picture_time():
        decoded(opened(data), PRINT_PICTURE.renditions)


def _decode_video(job: MediaJob, name: str, folder: Path) -> None:
    percent = 0

    def still_wanted(_seconds: float = 0.0) -> None:
        if not MediaJob.objects.set_progress(job, percent):
            raise LostClaimError(job.pk)

    def trying(seconds: float) -> None:
        nonlocal percent
        done = min(1.0, seconds / video.seconds)
        percent = LOOKED_PERCENT + int(done * (TRIED_PERCENT - LOOKED_PERCENT))
        still_wanted()

    path = local_file(name, folder)
    with path.open("rb") as file:
        filetype = sniff(file.read(HEAD_BYTES))
    check_size(path.stat().st_size, filetype)
    video = videos.look(path, filetype, folder=folder, progress=still_wanted)
    percent = LOOKED_PERCENT
    _decode_picture(videos.poster_of(video, folder=folder, progress=still_wanted))
    videos.try_all(video, folder=folder, progress=trying)
