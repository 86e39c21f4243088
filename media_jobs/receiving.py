"""Receives uploads in the web process: limited, checked by their first bytes, never decoded.

A file of another type, or one that is too large, isn't even written to the disk.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import (
    FileUploadHandler,
    SkipFile,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from media_jobs.filetypes import HEAD_BYTES, FileType, UnusableFileError, check_size, sniff

FORM_BYTES = 1_000_000
"""Bytes that a form may have besides its file."""
MAX_AT_ONCE = 16
"""Files that a process receives at once: slow lines must not hold all of its threads."""

places = threading.BoundedSemaphore(MAX_AT_ONCE)
"""One is held while a file comes in."""


class ReceivingBusyError(Exception):
    """The limit of uploads at a time is reached: the client should try later."""


class _Watch(FileUploadHandler):
    """Checks a file as it arrives, before it is stored; a request may have one file."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.refusal: UnusableFileError | None = None
        self._files = 0
        self._filetype: FileType | None = None

    def new_file(self, *args: Any, **options: Any) -> None:
        super().new_file(*args, **options)
        self._files += 1
        if self._files > 1:
            self.refusal = UnusableFileError(_("Choose only one file."))
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        try:
            if self._filetype is None:
                self._filetype = sniff(raw_data[:HEAD_BYTES])
            check_size(start + len(raw_data), self._filetype)
        except UnusableFileError as error:
            self.refusal = error
            raise SkipFile from error
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


@contextmanager
def receiving(request: HttpRequest) -> Iterator[None]:
    """Allow reading the request's body. Raises RequestDataTooBig, ReceivingBusyError."""
    limit = max(settings.MEDIA_MAX_PICTURE_MB, settings.MEDIA_MAX_VIDEO_MB) * 1_000_000
    if int(request.META.get("CONTENT_LENGTH") or 0) > limit + FORM_BYTES:
        raise RequestDataTooBig(f"a file of more than {limit} bytes")
    if not places.acquire(blocking=False):
        raise ReceivingBusyError
    try:
        request.upload_handlers = [_Watch(request), TemporaryFileUploadHandler(request)]
        yield
    finally:
        places.release()


def has_file(request: HttpRequest) -> bool:
    """Tell whether the request has a file, usable or not."""
    refused = any(getattr(handler, "refusal", None) for handler in request.upload_handlers)
    return bool(request.FILES) or refused


def received(request: HttpRequest, *, field: str = "file") -> UploadedFile:
    """Return the file that `receiving` accepted. Raises UnusableFileError."""
    file = request.FILES.get(field)
    for handler in request.upload_handlers:
        if isinstance(handler, _Watch) and handler.refusal is not None:
            raise handler.refusal
    if not isinstance(file, UploadedFile):
        raise UnusableFileError(_("Choose a file."))
    return file


def receives_files(
    view: Callable[..., HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Decorate a view whose forms have a file: the body is read within `receiving`.

    The CSRF check reads the body, so it is inside, too.
    """

    @csrf_exempt
    @wraps(view)
    def within(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        if request.content_type != "multipart/form-data":
            return csrf_protect(view)(request, *args, **options)
        try:
            with receiving(request):
                return csrf_protect(view)(request, *args, **options)
        except ReceivingBusyError:
            return HttpResponse(status=503, headers={"Retry-After": "2"})

    return within
