"""The shop: catalogue, orders and the operator's desk. It imports notifications and media_jobs."""
