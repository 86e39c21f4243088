"""Traces: OpenTelemetry's spans from a click to its delivered mail, where variables ask for them.

    web ─ place order ─┐ traceparent, in the job's row ┌─ job ─ send          one trace
                       ├───────────────────────────────┘    ⋮
    stock-writer batch ┄┘ (links)    relay's publish ┄┄┄┄┄┄┄┘ (links)         traces of their own

`spans` is what the flow calls. `sending` makes it do something: once a process, after its fork.
Without it no part of OpenTelemetry is loaded. `requests` has the span of a request, and whose
`traceparent` is believed.
"""
