"""Pictures of variants, as the media worker leaves them."""

from media_jobs.models import Asset
from media_jobs.publishing import order_of
from media_jobs.recipes import PRODUCT
from orders.models import Product, ProductMedia


def picture(product: Product, name: str) -> None:
    """Give the product a picture with all renditions."""
    files = [
        {
            "name": rendition,
            "format": file_format,
            "width": 640,
            "height": 480,
            "seconds": None,
            "file": f"renditions/{name}/{rendition}.{file_format}",
        }
        for rendition, file_format in order_of(PRODUCT)
    ]
    published = {"placeholder": "data:image/webp;base64,AAAA", "files": files}
    asset = Asset.objects.create(sha256=name, content_type="image/png", size=1, published=published)
    ProductMedia.objects.create(product=product, asset=asset, alt=f"A {name} shirt")
