"""The shop's sweeps: functions that the relay calls every few seconds."""

from orders.catalogue.scheduled_changes import apply_scheduled
from orders.catalogue.search.popularity import note_popularity
from orders.catalogue.search.vocabulary import keep_vocabulary
from orders.holds.expiry import give_back_expired
from orders.lifecycle.expiry import expire_due
from orders.lifecycle.media_ready import tell_media_ready
from orders.messages.announcements import send_announcements
from orders.messages.back_in_stock import tell_back_in_stock
from orders.payments.looking import look_at_attempts
from orders.performance.leftovers import tidy_performance
from orders.placing.settle import settle_due
from orders.reports.quarters import count_quarters
from project.schedule.sweeps import sweep

sweep(every=15)(settle_due)
sweep(every=20)(expire_due)
sweep(every=1)(give_back_expired)
sweep(every=2)(apply_scheduled)
sweep(every=2)(send_announcements)
sweep(every=5)(tell_media_ready)
sweep(every=5)(tell_back_in_stock)
sweep(every=5)(look_at_attempts)
sweep(every=15)(count_quarters)
sweep(every=10)(tidy_performance)
sweep(every=10)(note_popularity)
sweep(every=5)(keep_vocabulary)
