"""How messages leave the house: one module per kind of gateway, each with the same two functions.

`send(message, *, url, deadline) -> Receipt` hands the message over within the deadline, or raises
TransientError, PermanentError, ProviderDownError where no message would have got through, or
NoAnswerError where the other side may have accepted it.
`repeats_are_safe(url) -> bool` says whether the other side can recognise a second copy.

`url` is the gateway's own, of those in SMS_URL; e-mail has its settings from EMAIL_URL. Which
module takes which URL is said in `notifications.delivery.gateways`.
"""
