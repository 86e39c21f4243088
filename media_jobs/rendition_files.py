"""The files of renditions: their paths, and the removal of those that are no longer needed.

    renditions/<2 digits>/<SHA-256 of the source>/<hash of the recipe>/<8 digits of the claim>/

The same source and recipe give the same path; below it each claim writes in a folder of its own,
and only the rows that are written when the claim finishes its job make that folder known.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from media_jobs.models import MediaJob, Rendition
from media_jobs.output import Output
from media_jobs.recipes import RECIPES, Recipe
from project.jobs.queryset import Status

logger = logging.getLogger(__name__)

PUBLIC_ROOT, PRIVATE_ROOT = ROOTS = ("renditions", "private/renditions")


def home_of(job: MediaJob) -> str:
    """Return the folder of all renditions of the job's source."""
    digest = job.source_hash
    recipe = RECIPES.get(job.recipe)
    root = PRIVATE_ROOT if recipe and recipe.private else PUBLIC_ROOT
    return f"{root}/{digest[:2]}/{digest}"


def folder_of(job: MediaJob, recipe: Recipe) -> str:
    """Return the folder in which the job's claim writes the recipe's renditions."""
    assert job.token is not None  # claimed
    return f"{home_of(job)}/{recipe.hash}/{_name_of(job.token)}"


def store(folder: str, output: Output) -> dict[str, object]:
    """Store one file; return the fields of its Rendition."""
    path = f"{folder}/{output.name}.{output.format}"
    if isinstance(output.content, Path):
        size = output.content.stat().st_size
        with output.content.open("rb") as file:
            name = default_storage.save(path, File(file))
    else:
        size = len(output.content)
        name = default_storage.save(path, ContentFile(output.content))
    return {
        "name": output.name,
        "format": output.format,
        "width": output.width,
        "height": output.height,
        "size": size,
        "seconds": output.seconds,
        "file": name,
    }


def is_whole(job: MediaJob) -> bool:
    """Tell whether the files of all the job's renditions exist, in their sizes."""
    try:
        return all(
            default_storage.size(path) == size
            for path, size in job.renditions.values_list("file", "size")
        )
    except FileNotFoundError:
        return False


def local_file(name: str, folder: Path) -> Path:
    """Return the path of a stored file on this machine: its own, or that of a copy in `folder`."""
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:  # an object storage
        path = folder / "original"
        with default_storage.open(name) as remote, path.open("wb") as copy:
            for chunk in remote.chunks():
                copy.write(chunk)
    return path


def sweep(job_id: UUID, *, home: str = "") -> None:
    """Remove files of the job's source that neither a rendition nor a claim needs.

    These are the older renditions after a re-run, and the files of failed or lost claims. `home`:
    the folder of its renditions where the job itself may be gone.
    """
    job = MediaJob.objects.select_related("asset").filter(pk=job_id).first()
    if job is not None:
        home = home_of(job)
    if home:
        sweep_folders(leaves(home))


def sweep_folders(folders: Iterable[str]) -> None:
    """Remove the claims' folders that are unneeded; log those that can't be removed."""
    try:
        for folder in unneeded(folders):
            remove(folder)
    except FileNotFoundError:
        return  # another sweep has removed it
    except OSError:
        logger.warning("could not sweep the folders of renditions", exc_info=True)


def unneeded(folders: Iterable[str]) -> list[str]:
    """Return the claims' folders that no running claim and no rendition needs.

    `folders` are listed before the queries, so a claim that begins to write later isn't among
    them. Claims are read before renditions: a claim that finishes in between is in the latter.
    Folders with renditions are left out before, since mostly there are no others.
    """
    unknown = [folder for folder in folders if not _has_renditions(folder)]
    if not unknown:
        return []
    claims = running_claims()
    return [
        folder
        for folder in unknown
        if folder.rpartition("/")[2] not in claims and not _has_renditions(folder)
    ]


def _has_renditions(folder: str) -> bool:
    return Rendition.objects.filter(file__startswith=f"{folder}/").exists()


def running_claims() -> set[str]:
    """Return the names of the folders that claims may be writing in now."""
    running = MediaJob.objects.filter(status=Status.RUNNING).values_list("token", flat=True)
    return {_name_of(token) for token in running if token}


def leaves(*roots: str) -> Iterator[str]:
    """Yield every folder from these down that holds files."""
    for folder in roots:
        try:
            folders, files = default_storage.listdir(folder)
        except FileNotFoundError:
            continue
        if files:
            yield folder
        yield from leaves(*(f"{folder}/{name}" for name in sorted(folders)))


def remove(folder: str) -> tuple[int, int]:
    """Delete the folder's files, then the folder; return how many files and bytes they were."""
    count = size = 0
    try:
        _folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return 0, 0
    for name in files:
        with suppress(FileNotFoundError):
            size += default_storage.size(f"{folder}/{name}")
            default_storage.delete(f"{folder}/{name}")
            count += 1
    with suppress(OSError):  # another claim writes there again
        while folder not in ROOTS:  # and the folders above, up to the first that isn't empty
            default_storage.delete(folder)
            folder = folder.rpartition("/")[0]
    return count, size


def _name_of(token: UUID) -> str:
    return token.hex[:8]
