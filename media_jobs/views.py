"""Media files: typed, never executed, never elsewhere. From a folder they are served, to a bucket
whoever may read them is led.
"""

import errno
import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from media_jobs import signed_urls
from media_jobs.rendition_files import PRIVATE_ROOT, PUBLIC_ROOT
from media_jobs.shown import SHOWN
from project.conf.media_storage import StorageDownError

CHUNK = 64 * 1024
PLAYLIST = ".m3u8"
"""Always served from here: the names in it are relative to its address."""
NOWHERE = (errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG)
LED_SECONDS = 1800
"""How long a browser may remember where it was led: half as long as that holds."""


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Answer with a rendition to anybody who knows its name, with an original to those who may
    see assets at the desk, with a private file to who has its signed address; else with 404.

    Raises StorageDownError, which is answered with 503, while nobody can say what is there.

    An original carries what the camera noted (place, owner) and no watermark, and nobody has
    looked inside: it is only ever downloaded.
    """
    if posixpath.normpath(path) != path or not _may_read(request, path):
        raise Http404
    public = path.startswith(f"{PUBLIC_ROOT}/")
    original = not public and not path.startswith(f"{PRIVATE_ROOT}/")
    if hasattr(default_storage, "signed_url") and not path.endswith(PLAYLIST):
        return _led(path, public=public, original=original)
    try:
        file = default_storage.open(path)
    except (SuspiciousFileOperation, ValueError) as error:
        raise Http404 from error
    except OSError as error:
        if error.errno in NOWHERE:
            raise Http404 from error
        raise StorageDownError(str(error)) from error
    content_type = SHOWN.get(PurePosixPath(path).suffix.removeprefix("."))
    whole = FileResponse(
        file,
        as_attachment=original or content_type is None,
        filename=PurePosixPath(path).name,
        content_type=content_type or "application/octet-stream",
    )
    whole["X-Content-Type-Options"] = "nosniff"
    # A name belongs to one claim of one job for ever: what it names never changes.
    whole["Cache-Control"] = (
        "public, max-age=31536000, immutable" if public else "private, max-age=3600"
    )
    whole["Accept-Ranges"] = "bytes"
    asked = request.headers.get("Range", "")
    # If-Range asks about a validator, and we hand out none.
    if request.method != "GET" or "If-Range" in request.headers:
        return whole
    return _part_of(whole, file, asked)


def _led(path: str, *, public: bool, original: bool) -> HttpResponseBase:
    """Lead to the bucket's own address of the file, signed for a while."""
    shown = PurePosixPath(path).suffix.removeprefix(".") in SHOWN
    disposition = "inline" if shown and not original else "attachment"
    try:
        address = default_storage.signed_url(path, disposition=disposition)  # type: ignore[attr-defined]
    except (SuspiciousFileOperation, ValueError) as error:
        raise Http404 from error
    response = HttpResponseRedirect(address)
    response["Cache-Control"] = f"public, max-age={LED_SECONDS}" if public else "private, no-store"
    return response


def _may_read(request: HttpRequest, path: str) -> bool:
    """Whether the request may have this file; what isn't named here is nobody's."""
    if path.startswith(f"{PUBLIC_ROOT}/"):
        return True
    if path.startswith(signed_urls.ROOT):
        signed = {name: request.GET.get(name, "") for name in ("expires", "signature")}
        return signed_urls.is_signed(path, **signed)
    # The files of the operators' jobs have a page of their own that asks for its permission.
    return (
        path.startswith("originals/")
        and request.user.is_staff
        and request.user.has_perm("media_jobs.view_asset")
    )


def _part_of(whole: FileResponse, file: File, asked: str) -> HttpResponseBase:
    """Return the range of bytes that was asked for (RFC 9110, 14), else the whole.

    Videos are played by ranges: Safari plays none without, and nobody could jump. More than one
    range at a time is answered with the whole, as one may.
    """
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", asked.strip())
    if found is None or not any(found.groups()):
        return whole
    size = file.size
    first, last = found.groups()
    if first:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < int(first):
            return whole  # not a range at all
    else:
        begin, end = max(0, size - int(last)), size - 1
    if begin >= size or begin > end:
        whole.close()
        refused = StreamingHttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    part = StreamingHttpResponse(_Slice(file, begin, end - begin + 1), status=206)
    for name, value in whole.items():
        part[name] = value
    part["Content-Length"] = str(end - begin + 1)
    part["Content-Range"] = f"bytes {begin}-{end}/{size}"
    return part


class _Slice:
    """So many bytes of a file from a place on; closes it as its response is closed."""

    def __init__(self, file: File, begin: int, length: int) -> None:
        self._file, self._left = file, length
        file.seek(begin)

    def __iter__(self) -> Iterator[bytes]:
        while self._left > 0 and (chunk := self._file.read(min(CHUNK, self._left))):
            self._left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self._file.close()
