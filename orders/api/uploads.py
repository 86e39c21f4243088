"""`POST uploads`: stores a shopper's picture or video for a line of a later order."""

from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Status

import project.uuids  # noqa: F401  (registers `any_uuid`)
from media_jobs.filetypes import UnusableFileError
from media_jobs.receiving import ReceivingBusyError, received, receiving
from orders.api.problems import Problem
from orders.api.schemas.problems import InvalidOut, ProblemOut
from orders.api.schemas.uploads import UploadOut
from orders.models import Upload
from orders.placing.upload_checks import checks_of
from orders.placing.upload_store import TooManyUploadsError, check_limit, store_upload
from project.limits.client_address import counted_inet

router = Router(tags=["Uploads"])

_RETRY = {"headers": {"Retry-After": {"schema": {"type": "string"}}}}


@router.post(
    "/uploads",
    response={201: UploadOut, (400, 413, 415, 429, 503): ProblemOut, 422: InvalidOut},
    summary="Hand in a picture or video",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                }
            },
        },
        "responses": {429: _RETRY, 503: _RETRY},
    },
)
def create_upload(request: HttpRequest) -> Status[UploadOut]:
    """Name the token in `lines[].upload` of an order within a day, or the file is deleted.

    One upload is for one product of one order. Its file is decoded first, in the background: ask
    for its `state` until it is `usable`. An order waits for that for two seconds, then it is
    refused with 422; nothing is taken, and the same request may be sent again.
    """
    if request.content_type != "multipart/form-data":
        raise Problem(415, "unsupported_media_type", "Send multipart/form-data with a `file`.")
    address = counted_inet(request)
    try:
        check_limit(address)
        with receiving(request), received(request) as file:
            upload = store_upload(file, name=file.name or "", address=address)
    except UnusableFileError as error:
        errors = [{"field": "file", "message": str(error)}]
        raise Problem(422, "invalid", "Please check: file.", errors=errors) from None
    except TooManyUploadsError as error:
        detail = "Order with what you uploaded, or wait."
        raise Problem(429, "too_many_uploads", detail, retry_after=error.retry_after) from None
    except ReceivingBusyError:
        raise Problem(503, "busy", "Repeat the request in a moment.") from None
    return Status(201, _out(upload))


@router.get(
    "/uploads/{any_uuid:token}",
    response={200: UploadOut, 404: ProblemOut},
    summary="See whether an upload can be ordered with",
)
def upload_state(request: HttpRequest, token: UUID) -> UploadOut:
    """`checking`: ask again in a second. `late`: in a minute. `refused`: see `reason`.

    An upload that an order took, or that was deleted, isn't found.
    """
    upload = Upload.objects.filter(pk=token, line=None).first()
    if upload is None:
        raise Problem(404, "not_found", "There is no such upload, or an order has it.")
    return _out(upload)


def _out(upload: Upload) -> UploadOut:
    check = checks_of([upload])[upload.token]
    return UploadOut(
        token=upload.token,
        kind="video" if upload.is_video else "picture",
        name=upload.name,
        content_type=upload.content_type,
        size=upload.size,
        state=check.state.value,
        reason=check.reason,
    )
