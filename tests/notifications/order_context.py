"""The context of a placed order's messages."""

CONTEXT = {
    "number": "T1001",
    "name": "Zoë Müller",
    "shop_name": "Tandem",
    "language": "en",
    "currency": "EUR",
    "items_total": "1234.50",
    "delivery_total": "0.00",
    "total": "1234.50",
    "status_url": "http://localhost:8000/orders/0d9f/",
    "lines": [
        {
            "sku": "TEA-1",
            "name": "Green tea",
            "quantity": 2,
            "unit_price": "617.25",
            "total": "1234.50",
        }
    ],
}
