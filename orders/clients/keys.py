"""Clients and their keys: made and revoked by the desk and the command, found by each request."""

import hmac
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from orders.clients.scopes import checked_scopes
from orders.clients.secret import Secret, new_secret, read_secret
from orders.models import ApiClient, ApiKey, User
from project.database.errors import dropped_if_lost

logger = logging.getLogger(__name__)

USERNAME = "api:"
"""The usernames of clients begin with it. No form takes a colon, so nobody else has such a one."""
USE_NOTED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class NewKey:
    """A key that was just made: the only time that its text is known."""

    key: ApiKey
    secret: Secret


@dataclass(frozen=True)
class Access:
    """A request's right: its client, and what its key may do."""

    client: ApiClient
    key: ApiKey

    def may(self, scope: str) -> bool:
        return scope in self.key.scopes


class BadKeyError(Exception):
    """The key opens nothing; the text says why, as far as its holder may know."""


def create_client(*, name: str, requests_per_minute: int | None = None) -> ApiClient:
    """Create the client with its user. Raises IntegrityError if the name is taken."""
    with transaction.atomic():
        user = User(username=username_of(name), name=name, is_active=False)
        user.set_unusable_password()
        user.save()
        return ApiClient.objects.create(
            name=name, user=user, requests_per_minute=requests_per_minute
        )


def username_of(name: str) -> str:
    return f"{USERNAME}{name}"


def rename_user(client: ApiClient) -> None:
    """Give the client's user the client's name: timelines show it."""
    User.objects.filter(pk=client.user_id).update(
        username=username_of(client.name), name=client.name
    )


def make_key(
    client: ApiClient,
    *,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    user: User | None = None,
) -> NewKey:
    """Make a key of the client; its other keys go on. Raises UnknownScopeError."""
    secret = new_secret()
    key = ApiKey.objects.create(
        client=client,
        prefix=secret.prefix,
        digest=secret.digest,
        scopes=checked_scopes(scopes),
        expires_at=expires_at,
        created_by=user,
    )
    return NewKey(key, secret)


def revoke_key(key_id: int) -> bool:
    """Revoke the key for good. True for the one caller that did it."""
    return ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=Now()) == 1


def find_access(text: str) -> Access:
    """Return what the key gives access to, and note its use. Raises BadKeyError.

    One query. A key is found by its public beginning; its digest is compared in constant time, so
    the time of an answer tells nothing about the digest.
    """
    secret = read_secret(text)
    if secret is None:
        raise BadKeyError("This is no key of the shop.")
    key = ApiKey.objects.select_related("client__user").filter(prefix=secret.prefix).first()
    if key is None or not hmac.compare_digest(bytes(key.digest), secret.digest):
        raise BadKeyError("The shop doesn't know this key.")
    now = timezone.now()
    if key.revoked_at is not None:
        raise BadKeyError("This key was revoked.")
    if not key.is_usable(now=now):
        raise BadKeyError("This key has expired.")
    if not key.client.is_active:
        raise BadKeyError("This client is switched off.")
    if key.last_used_at is None or key.last_used_at < now - USE_NOTED_AFTER:
        _note_use(key)
    return Access(key.client, key)


def _note_use(key: ApiKey) -> None:
    """Write the key's last use, unless another request did or somebody has locked the row.

    The request waits neither for a lock nor for the disk, and goes on if it can't be written.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_NOTE_USE, [key.pk, USE_NOTED_AFTER.total_seconds()])
    except Error as error:
        dropped_if_lost(error, connection)
        logger.warning("the use of key %s is not noted", key.prefix, exc_info=True)


_NOTE_USE = """
WITH quickly AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
due AS (
    SELECT key.id FROM quickly, orders_apikey AS key
    WHERE key.id = %s
      AND (key.last_used_at IS NULL OR key.last_used_at < now() - %s * interval '1 second')
    FOR NO KEY UPDATE OF key SKIP LOCKED
)
UPDATE orders_apikey AS key SET last_used_at = now() FROM due WHERE key.id = due.id
"""
