"""DATABASE_URL: a PostgreSQL server, or several of which one takes writes.

Several stand as libpq takes them: postgres://user:password@a:5432,b:5432/tandem. Each new
connection asks them one after the other for the one that takes writes: so it follows a failover.
"""

from typing import Any
from urllib.parse import urlunsplit

import environ

from project.conf.urls import UnreadableUrlError, split_url

SCHEMES = ("postgres", "postgresql")
PORT = 5432
SECONDS_PER_SERVER = 2
"""For the answer of each of several servers: a dead one must not cost a request its time."""
POOL = {
    "min_size": 2,
    "max_size": 20,
    "timeout": 5,
    # So long it tries again by itself, with pauses that double; then the next request has it try
    # at once. With its own five minutes an outage of a minute would last for up to two.
    "reconnect_timeout": 2,
}
"""The web process's pool, with times in seconds. Twenty connections are enough for 64 threads,
because an order returns its own while it waits."""
SESSION = "target_session_attrs"
"""libpq's name for what a server must be. By default one of several takes writes; a server that is
named alone isn't asked."""


def database(url: str, *, session: str = "read-write") -> dict[str, Any]:
    """Return Django's settings for the server or servers of this URL.

    Of several servers each new connection finds one that is as `session` says, in libpq's words.

    Raises ValueError for another scheme, no database, a fragment, a port that is none, or an empty
    host among several; its text has no part of the URL.
    """
    parts = split_url(url, several_hosts=True)
    if parts.scheme not in SCHEMES or parts.fragment:
        raise ValueError
    account, at, where = parts.netloc.rpartition("@")
    servers = where.split(",")
    if len(servers) > 1 and "" in servers:
        raise ValueError
    each = [_read(urlunsplit(parts._replace(netloc=account + at + one))) for one in servers]
    settings = each[0]
    if len(each) > 1:
        settings["HOST"] = ",".join(one["HOST"] for one in each)
        settings["PORT"] = ",".join(str(one["PORT"] or PORT) for one in each)
        settings["OPTIONS"] = {
            SESSION: session,
            "connect_timeout": SECONDS_PER_SERVER,
            **settings.get("OPTIONS", {}),
        }
    return settings


def _read(url: str) -> dict[str, Any]:
    """Return the settings for one server."""
    split_url(url)  # its port, too
    try:
        settings: dict[str, Any] = environ.Env.db_url_config(url)
    except ValueError:
        raise UnreadableUrlError from None
    if not settings["NAME"]:
        raise ValueError
    return settings
