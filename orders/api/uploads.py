"""`POST uploads`: stores a shopper's picture or video for a line of a later order."""

from django.http import HttpRequest
from ninja import Router, Status

from media_jobs.filetypes import UnusableFileError
from media_jobs.receiving import ReceivingBusyError, received, receiving
from orders.api.problems import Problem
from orders.api.schemas import InvalidOut, ProblemOut, UploadOut
from orders.placing.upload_store import TooManyUploadsError, check_limit, store_upload
from project.limits.client_address import client_address

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

    One upload is for one product of one order.
    """
    if request.content_type != "multipart/form-data":
        raise Problem(415, "unsupported_media_type", "Send multipart/form-data with a `file`.")
    address = client_address(request)
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
    return Status(
        201,
        UploadOut(
            token=upload.token,
            kind="video" if upload.is_video else "picture",
            name=upload.name,
            content_type=upload.content_type,
            size=upload.size,
        ),
    )
