"""What operators do with an endpoint: test it, pause it, resume it, switch it off."""

from django.db.models import Q, QuerySet

from notifications.models import WebhookEndpoint
from notifications.webhooks.events import TEST
from notifications.webhooks.outbox import Event, Listener, write_deliveries
from notifications.webhooks.wellbeing import TROUBLES, WELL, cancel_waiting

State = WebhookEndpoint.Status


def send_test(endpoint_id: int) -> None:
    """Queue a test: a delivery like any other, with a signature and a log."""
    event = Event(TEST, full={"endpoint": endpoint_id}, thin={"endpoint": endpoint_id})
    everything = frozenset[str]()
    write_deliveries([event], [Listener(endpoint_id, False, None, everything, everything)])


def pause(endpoints: QuerySet[WebhookEndpoint], *, reason: str) -> int:
    """Let the endpoints' deliveries wait; return how many endpoints were active."""
    active = endpoints.filter(status=State.ACTIVE)
    return active.update(status=State.PAUSED, status_reason=reason)


def resume(endpoints: QuerySet[WebhookEndpoint]) -> int:
    """Let paused endpoints, and those that are off, have deliveries again; return how many.

    What waited goes at once; what was cancelled can be replayed.
    """
    off = endpoints.exclude(status=State.ACTIVE)
    return off.update(status=State.ACTIVE, status_reason="", gone_at=None)


def switch_off(endpoints: QuerySet[WebhookEndpoint], *, reason: str) -> int:
    """Switch the endpoints off and cancel what waits for them; return how many were on.

    One that said itself that it is gone counts, too: from now on it is off because somebody wants
    it, and nobody is asked to look at it any more.
    """
    undecided = ~Q(status=State.OFF) | TROUBLES["gone"]
    keys = list(endpoints.filter(undecided).values_list("pk", flat=True))
    count = WebhookEndpoint.objects.filter(pk__in=keys).update(
        status=State.OFF,
        status_reason=reason,
        failures=0,
        failing_since=None,
        resting_until=None,
        gone_at=None,
        **WELL,
    )
    for key in keys:  # only now: a replay meanwhile would wait for ever
        cancel_waiting(key, reason=reason or "the endpoint was switched off")
    return count
