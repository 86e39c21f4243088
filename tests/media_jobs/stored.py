"""The files in the media storage: a folder or a bucket."""

from django.core.files.storage import default_storage

from media_jobs.models import Rendition


def files_of(folder: str = "renditions") -> set[str]:
    """Name every file from this folder down."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return set()
    here = f"{folder}/" if folder else ""
    below = [files_of(f"{here}{name}") for name in folders]
    return {f"{here}{name}" for name in files}.union(*below)


def shown() -> set[str]:
    return set(Rendition.objects.values_list("file", flat=True))
