"""What became of a message after its provider had accepted it: `POST /receipts/<provider>/`.

    door.py       one request: size, signature, format, effect
    signature.py  who may tell: HMAC over time and body
    email.py, sms.py   one module per format, each with `read(body) -> Report`
    effect.py     what a report changes: never backwards, never twice

`<provider>` is `email`, `sms`, or `sms:HOST` for one of several gateways.
"""
