"""Platforms that operators block: their carts and checkouts are refused, until they are let in.

The catalogue is public, so they still read it, and what they have ordered stays theirs to follow.
"""

from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now

from orders.agents.errors import PlatformBlocked
from orders.agents.versions import CART, CHECKOUT
from orders.models import AgentPlatform

REFUSED = frozenset({CART, CHECKOUT})
"""The capabilities whose operations a blocked platform hasn't."""


def block(platform_ids: list[Any], *, reason: str) -> int:
    """Block those that aren't; return their number. What is being placed at this moment is."""
    platforms = AgentPlatform.objects.filter(pk__in=platform_ids, blocked_at=None)
    return platforms.update(blocked_at=Now(), block_reason=reason)


def let_in(platform_ids: list[Any]) -> int:
    """Let those in again that are blocked; return their number."""
    blocked: QuerySet[AgentPlatform] = AgentPlatform.objects.filter(
        pk__in=platform_ids, blocked_at__isnull=False
    )
    return blocked.update(blocked_at=None, block_reason="")


def refuse_blocked(platform: AgentPlatform, root: str) -> None:
    """Raise PlatformBlocked if the platform may not do what belongs to this capability."""
    if platform.blocked_at is not None and root in REFUSED:
        raise PlatformBlocked
