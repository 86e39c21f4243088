"""The channels: one module per kind of gateway, each with the same two functions.

`send(message, *, url, deadline) -> Receipt` hands the message over within the deadline, or raises
TransientError, PermanentError, ProviderDownError if the provider would take no message now (its
RefusesUsError if our key, account or address is the cause), or NoAnswerError if the other side may
have accepted it. Any other exception counts as NoAnswerError.
`repeats_are_safe(url) -> bool` tells whether the other side can recognise a second copy.

`url` is the gateway's own, of those in SMS_URL; e-mail has its settings from EMAIL_URL.
`notifications.delivery.gateways` maps URLs to modules.
"""
