"""The endpoint of media files, with safe headers: it serves them from the folder, or redirects
to the bucket.
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
"""Always served from here: the names in a playlist are relative to its URL."""
NOWHERE = (errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG)
REDIRECT_SECONDS = 1800
"""The time for which a browser may cache the redirect: half the signed URL's validity."""


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Answer with a rendition to any request, with an original to users who may see assets in the
    admin, with a private file to requests with its signed URL; else with 404.

    Raises StorageDownError, which is answered with 503, while the storage is down.

    An original has the camera's metadata (place, owner), no watermark, and unchecked content: it
    is only downloaded.
    """
    if posixpath.normpath(path) != path or not _may_read(request, path):
        raise Http404
    public = path.startswith(f"{PUBLIC_ROOT}/")
    original = not public and not path.startswith(f"{PRIVATE_ROOT}/")
    if hasattr(default_storage, "signed_url") and not path.endswith(PLAYLIST):
        return _redirect(path, public=public, original=original)
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
    # A name belongs to one claim of one job for ever: its content never changes.
    whole["Cache-Control"] = (
        "public, max-age=31536000, immutable" if public else "private, max-age=3600"
    )
    whole["Accept-Ranges"] = "bytes"
    asked = request.headers.get("Range", "")
    # If-Range refers to a validator, and we send none.
    if request.method != "GET" or "If-Range" in request.headers:
        return whole
    return _part_of(whole, file, asked)


def _redirect(path: str, *, public: bool, original: bool) -> HttpResponseBase:
    """Redirect to the bucket's signed URL of the file."""
    shown = PurePosixPath(path).suffix.removeprefix(".") in SHOWN
    disposition = "inline" if shown and not original else "attachment"
    try:
        address = default_storage.signed_url(path, disposition=disposition)  # type: ignore[attr-defined]
    except (SuspiciousFileOperation, ValueError) as error:
        raise Http404 from error
    response = HttpResponseRedirect(address)
    response["Cache-Control"] = (
        f"public, max-age={REDIRECT_SECONDS}" if public else "private, no-store"
    )
    return response


def _may_read(request: HttpRequest, path: str) -> bool:
    """Tell whether the request may read this file; paths of no known kind are refused."""
    if path.startswith(f"{PUBLIC_ROOT}/"):
        return True
    if path.startswith(signed_urls.ROOT):
        signed = {name: request.GET.get(name, "") for name in ("expires", "signature")}
        return signed_urls.is_signed(path, **signed)
    # The files of the operators' jobs have a page of their own that checks its permission.
    return (
        path.startswith("originals/")
        and request.user.is_staff
        and request.user.has_perm("media_jobs.view_asset")
    )


def _part_of(whole: FileResponse, file: File, asked: str) -> HttpResponseBase:
    """Return the requested range of bytes (RFC 9110, 14), else the whole.

    Browsers play videos by ranges: Safari requires them, and seeking needs them. Several ranges
    at a time are answered with the whole, which the RFC allows.
    """
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", asked.strip())
    if found is None or not any(found.groups()):
        return whole
    size = file.size
    first, last = found.groups()
    if first:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < int(first):
            return whole  # not a valid range
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
    """A range of a file's bytes; it closes the file when the response is closed."""

    def __init__(self, file: File, begin: int, length: int) -> None:
        self._file, self._left = file, length
        file.seek(begin)

    def __iter__(self) -> Iterator[bytes]:
        while self._left > 0 and (chunk := self._file.read(min(CHUNK, self._left))):
            self._left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self._file.close()
