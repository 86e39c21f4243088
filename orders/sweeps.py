"""What the relay calls for the shop."""

from orders.announcements import send_announcements
from orders.media_ready import tell_media_ready
from orders.placing.expiry import expire_due
from orders.placing.settle import settle_due
from orders.scheduled_changes import apply_scheduled
from project.relay import sweep

sweep(every=15)(settle_due)
sweep(every=20)(expire_due)
sweep(every=2)(apply_scheduled)
sweep(every=2)(send_announcements)
sweep(every=5)(tell_media_ready)
