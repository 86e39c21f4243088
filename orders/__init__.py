"""The shop: catalogue, ordering, the operator's desk. Imports notifications and media_jobs."""
