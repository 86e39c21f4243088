"""An order as a pickup pass knows it, and the job that makes the pass."""

from uuid import uuid4

from media_jobs.models import MediaJob
from media_jobs.outbox import pickup_pass_job

STATUS_URL = "https://shop.example.org/orders/0d4f6c1e-7a53-4b8e-9a51-0f7b6c2f1e55/"


def line(number: int = 1, **changes) -> dict:
    return {
        "sku": f"SKU-{number}",
        "name": f"Product {number}",
        "quantity": number,
        "unit_price": "12.30",
        "total": f"{12.30 * number:.2f}",
        **changes,
    }


def order(**changes) -> dict:
    return {
        "number": "T1001",
        "name": "Ada Lovelace",
        "shop_name": "Tandem",
        "currency": "EUR",
        "items_total": "12.30",
        "delivery_total": "0.00",
        "total": "12.30",
        "status_url": STATUS_URL,
        "language": "en",
        "lines": [line()],
        **changes,
    }


def pass_job() -> MediaJob:
    job = pickup_pass_job(order_id=uuid4(), context=order())
    job.save()
    return job
