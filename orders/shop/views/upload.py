"""`/products/<slug>/upload/`: stores and checks the shopper's picture or video before the order."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from media_jobs.filetypes import (
    PICTURES,
    TYPES,
    UnknownTypeError,
    UnusableFileError,
    names_of_pictures,
    names_of_videos,
)
from media_jobs.receiving import received, receives_files
from orders.models import Product, Upload
from orders.placing.errors import InvalidOrder
from orders.placing.personalising import Personalisation
from orders.placing.request import clean_upload
from orders.placing.upload_checks import CheckState, check_error, checks_of
from orders.placing.upload_store import TooManyUploadsError, discard, store_upload
from project.limits.client_address import counted_inet

_LABELS: dict[str, str | Promise] = {
    Personalisation.PICTURE: gettext_lazy("Your picture"),
    Personalisation.VIDEO: gettext_lazy("Your video"),
    Personalisation.EITHER: gettext_lazy("Your picture or video"),
}


@dataclass(frozen=True)
class UploadField:
    """The upload field of a product's page: its texts and limits."""

    asked_for: str

    @property
    def label(self) -> str:
        return str(_LABELS[self.asked_for])

    @property
    def accept(self) -> str:
        types = [
            filetype.content_type
            for filetype in TYPES
            if self.asked_for == Personalisation.EITHER
            or (filetype in PICTURES) == (self.asked_for == Personalisation.PICTURE)
        ]
        return ",".join(types)

    @property
    def help(self) -> str:
        limits = {"picture": settings.MEDIA_MAX_PICTURE_MB, "video": settings.MEDIA_MAX_VIDEO_MB}
        match self.asked_for:
            case Personalisation.PICTURE:
                text = _("JPEG, PNG, WebP, AVIF, GIF or TIFF, at most %(picture)d MB.")
            case Personalisation.VIDEO:
                text = _("MP4, MOV, WebM or MKV, at most %(video)d MB.")
            case _either:
                text = _("A picture of at most %(picture)d MB, or a video of at most %(video)d MB.")
        return text % limits

    @property
    def too_large(self) -> str:
        return _("The file is too large.") + " " + self.help

    @property
    def picture_bytes(self) -> int:
        return settings.MEDIA_MAX_PICTURE_MB * 1_000_000

    @property
    def video_bytes(self) -> int:
        return settings.MEDIA_MAX_VIDEO_MB * 1_000_000


def field_of(product: Product) -> UploadField | None:
    """Return the product's upload field; None for a product without personalisation."""
    if product.personalisation == Personalisation.NONE:
        return None
    return UploadField(product.personalisation)


@never_cache
@require_POST
@receives_files
def upload(request: HttpRequest, slug: str) -> HttpResponse:
    """Store the file, and answer with the field: with the upload, or with an error.

    The field's previous upload is deleted: the shopper has replaced or removed it.
    """
    products = Product.objects.filter(is_active=True).exclude(personalisation=Personalisation.NONE)
    product = get_object_or_404(products, slug=slug)
    before = untaken(request.POST.get("upload", ""))
    if "remove" in request.POST:
        if before:
            discard(before.token)
        return _answer(request, product)
    try:
        stored = receive_upload(request, product)
    except UnusableFileError as refusal:
        return _answer(request, product, before, error=str(refusal), status=422)
    except TooManyUploadsError as refusal:
        text = _("You uploaded very many files in a short time. Please try again in %(count)d min.")
        minutes = {"count": -(-refusal.retry_after // 60)}
        response = _answer(request, product, before, error=text % minutes, status=429)
        response["Retry-After"] = str(refusal.retry_after)
        return response
    if before:
        discard(before.token)
    return _answer(request, product, stored)


@never_cache
@require_safe
def check(request: HttpRequest, slug: str, token: UUID) -> HttpResponse:
    """Answer what is known of an upload; one that can't be used makes the whole field anew."""
    products = Product.objects.exclude(personalisation=Personalisation.NONE)
    product = get_object_or_404(products, slug=slug)
    upload = untaken(str(token))
    if upload is None:
        error = _("This upload was used or has expired. Upload the file again.")
    else:
        known = checks_of([upload])[upload.token]
        error = check_error(known) if known.state == CheckState.REFUSED else ""
        if not error:
            context = {"product": product, "upload": upload, "check": known}
            return render(request, "shop/_upload_check.html", context)
    response = _answer(request, product, error=error)
    response["HX-Retarget"], response["HX-Reswap"] = "#upload", "outerHTML"
    return response


def receive_upload(request: HttpRequest, product: Product) -> Upload:
    """Store the request's file for the product. Raises UnusableFileError, TooManyUploadsError."""
    try:
        with received(request) as file:
            return store_upload(
                file,
                name=file.name or "",
                address=counted_inet(request),
                asked_for=product.personalisation,
            )
    except UnknownTypeError as error:
        raise UnusableFileError(_of_unknown_type(product, error)) from error


def _of_unknown_type(product: Product, error: UnknownTypeError) -> str:
    """Return the refusal that names only what this product takes."""
    match product.personalisation:
        case Personalisation.PICTURE:
            text = _("This file can't be used. Choose a picture (%(pictures)s).")
            return text % {"pictures": names_of_pictures()}
        case Personalisation.VIDEO:
            text = _("This file can't be used. Choose a video (%(videos)s).")
            return text % {"videos": names_of_videos()}
        case _either:
            return str(error)


def untaken(token: str) -> Upload | None:
    """Return the upload with this token; None if it doesn't exist or an order has taken it."""
    try:
        wanted = clean_upload(token)
    except InvalidOrder:
        return None
    return Upload.objects.filter(token=UUID(wanted), line=None).first() if wanted else None


def _answer(
    request: HttpRequest,
    product: Product,
    upload: Upload | None = None,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "product": product,
        "field": field_of(product),
        "upload": upload,
        "check": checks_of([upload])[upload.token] if upload else None,
        "error": error,
    }
    return render(request, "shop/_upload.html", context, status=status)
