"""How messages leave the house: one module per channel, each with the same two functions.

`send(message, *, deadline) -> Receipt` hands the message over within the deadline, or raises
TransientError, PermanentError, ProviderDownError where no message would have got through, or
NoAnswerError where the other side may have accepted it.
`repeats_are_safe() -> bool` says whether the other side can recognise a second copy.
"""

from types import ModuleType

from notifications.channels import email, http_sms
from notifications.models import Notification

CHANNELS: dict[str, ModuleType] = {
    Notification.Channel.EMAIL: email,
    Notification.Channel.SMS: http_sms,
}
