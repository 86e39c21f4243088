"""Receipts: providers report the delivery of accepted messages, `POST /receipts/<provider>/`.

    endpoint.py   one request: size, signature, format, effect
    signature.py  authentication: HMAC over time and body
    email.py, sms.py   one module per format, each with `read(body) -> Report`
    effect.py     the change of the message: never backwards, never twice

`<provider>` is `email`, `sms`, or `sms:HOST` for one of several gateways.
"""
