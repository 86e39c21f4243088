"""Admission: in a rush orders wait for a thread only so long, and are then refused at once.

`worker` is gunicorn's worker with a queue for orders before its threads, `queue` that queue,
`refusal` what an order hears that isn't let in. See docs/requests.md.
"""
