"""Storing originals: one asset for each distinct file, even if it is uploaded several times."""

import hashlib
from secrets import token_hex

from django.core.files.base import File
from django.db import IntegrityError, transaction

from media_jobs.filetypes import HEAD_BYTES, FileType, check_size, sniff
from media_jobs.models import Asset


def store_asset(file: File, *, name: str) -> Asset:
    """Store the file and return its asset, or the asset that has the same content already.

    `name` is only displayed; neither the path nor the type comes from it. Nothing is decoded.
    Raises UnusableFileError with a sentence for the user.
    """
    file.seek(0)
    filetype = sniff(file.read(HEAD_BYTES))
    digest, size = measure(file, filetype)
    if known := Asset.objects.filter(sha256=digest).first():
        return known
    asset = Asset(name=name[:200], sha256=digest, content_type=filetype.content_type, size=size)
    file.seek(0)
    # Each request stores under a name of its own: the slower of two deletes its own file.
    name_of_file = f"{digest[:32]}-{token_hex(4)}.{filetype.extension}"
    asset.file.save(name_of_file, file, save=False)
    try:
        with transaction.atomic():
            asset.save()
    except IntegrityError:
        # Another request has stored the same file in between.
        asset.file.delete(save=False)
        return Asset.objects.get(sha256=digest)
    return asset


def measure(file: File, filetype: FileType) -> tuple[str, int]:
    """Return the SHA-256 and the size; stop reading once the file is too large."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    for chunk in file.chunks():
        size += len(chunk)
        check_size(size, filetype)
        digest.update(chunk)
    return digest.hexdigest(), size
