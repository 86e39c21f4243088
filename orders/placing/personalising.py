"""Validation of an order's uploads: does each upload exist, and does it fit its product?

`pricing` calls it. It takes no lock, and an order without uploads costs no query. The StockWriter
checks again under locks.
"""

from collections.abc import Collection
from uuid import UUID

from django.utils.translation import gettext as _

from media_jobs.outbox import print_job
from orders.models import Order, Product, Upload
from orders.placing.errors import FieldError
from orders.placing.offers import Offer
from orders.placing.request import OrderRequest, RequestedLine
from orders.placing.upload_checks import check_error, checks_of
from orders.placing.uploads import DraftUpload

Personalisation = Product.Personalisation


def find_uploads(request: OrderRequest) -> dict[str, Upload]:
    """Return those of the request's uploads that no order has taken, by token.

    A request without uploads costs no query.
    """
    tokens = request.uploads
    if not tokens:
        return {}
    found = Upload.objects.filter(token__in=tokens, line=None)
    return {str(upload.token): upload for upload in found}


def upload_errors(
    request: OrderRequest, offers: dict[str, Offer], uploads: dict[str, Upload]
) -> list[FieldError]:
    """Return an error for each line whose upload is missing, gone, of the wrong kind, unchecked, or
    found unusable.
    """
    checks = checks_of(uploads.values())
    first_sku = {token: sku for token, (sku, _quantity) in request.uploads.items()}
    errors = []
    for position, line in enumerate(request.lines):
        offer = offers.get(line.sku)
        if offer is None:
            continue  # pricing refuses an unknown SKU
        upload = uploads.get(line.upload)
        message = _error(line, offer, upload, first_sku)
        if not message and upload is not None:
            message = check_error(checks[upload.token])
        if message:
            errors.append(FieldError(f"lines.{position}.upload", message))
    return errors


def _error(
    line: RequestedLine, offer: Offer, upload: Upload | None, first_sku: dict[str, str]
) -> str:
    name = {"name": offer.name}
    if not line.upload:
        if offer.requires_upload:
            return _("“%(name)s” needs a picture or video of yours.") % name
        return ""
    if offer.personalisation == Personalisation.NONE:
        return _("“%(name)s” can't be personalised.") % name
    if upload is None:
        return _gone()
    if first_sku[line.upload] != line.sku:
        return _("Upload the file once for each product.")
    return kind_error(offer.personalisation, is_video=upload.is_video)


def kind_error(personalisation: str, *, is_video: bool) -> str:
    """Return an error text if the file's kind doesn't fit the product, else an empty text."""
    if personalisation == Personalisation.PICTURE and is_video:
        return _("This is a video. Choose a picture.")
    if personalisation == Personalisation.VIDEO and not is_video:
        return _("This is a picture. Choose a video.")
    return ""


def gone_errors(request: OrderRequest, tokens: Collection[UUID]) -> list[FieldError]:
    """Return an error for each line whose upload another order took or a sweep pruned."""
    gone = {str(token) for token in tokens}
    return [
        FieldError(f"lines.{position}.upload", _gone())
        for position, line in enumerate(request.lines)
        if line.upload in gone
    ]


def draft_uploads(
    request: OrderRequest, order: Order, offers: dict[str, Offer], uploads: dict[str, Upload]
) -> tuple[DraftUpload, ...]:
    """Return the order's uploads, each with the job that prepares it for printing."""
    parts = []
    for token, (sku, quantity) in request.uploads.items():
        offer, upload = offers[sku], uploads[token]
        job = print_job(
            order_id=order.pk,
            token=upload.token,
            file=upload.file.name or "",
            sha256=upload.sha256,
            is_video=upload.is_video,
            context={
                "name": upload.name,
                "sku": sku,
                "product": offer.name,
                "quantity": quantity,
                "language": order.language,
            },
        )
        parts.append(DraftUpload(upload.token, order.pk, offer.product_id, quantity, job))
    return tuple(parts)


def _gone() -> str:
    return _("This upload was used or has expired. Upload the file again.")
