"""DATABASE_URL: one server, or several of which one takes writes."""

import os
import socket
from urllib.parse import urlsplit

import psycopg
import pytest

from project.conf.database import database
from project.conf.urls import UnreadableUrlError
from tests.project.conf.production import PRODUCTION, manage

TWO = "postgres://shop:p%2Cw@a.example.org:5432,b.example.org:5433/tandem"


def test_several_servers_are_asked_for_the_one_that_takes_writes() -> None:
    read = database(TWO)

    assert (read["HOST"], read["PORT"]) == ("a.example.org,b.example.org", "5432,5433")
    assert (read["USER"], read["PASSWORD"], read["NAME"]) == ("shop", "p,w", "tandem")
    assert read["OPTIONS"] == {"target_session_attrs": "read-write", "connect_timeout": 2}


def test_what_the_address_says_goes_first() -> None:
    read = database(f"{TWO}?target_session_attrs=primary&connect_timeout=9&sslmode=require")

    assert read["OPTIONS"] == {
        "target_session_attrs": "primary",
        "connect_timeout": 9,
        "sslmode": "require",
    }


@pytest.mark.parametrize(
    ("where", "hosts", "ports"),
    [
        ("a,b:5433", "a,b", "5432,5433"),
        ("[::1]:5433,[fe80::2]", "::1,fe80::2", "5433,5432"),
        ("a,b,c", "a,b,c", "5432,5432,5432"),
    ],
)
def test_hosts_are_written_as_libpq_takes_them(where: str, hosts: str, ports: str) -> None:
    read = database(f"postgres://shop@{where}/tandem")

    assert (read["HOST"], read["PORT"]) == (hosts, ports)


def test_one_server_is_not_asked_what_it_is() -> None:
    assert "OPTIONS" not in database("postgres://shop:pw@a.example.org/tandem")


@pytest.mark.parametrize("where", ["a,", ",a", "a,,b", "a:door,b", "a,b:door", "a:0,b"])
def test_a_list_of_hosts_that_can_not_be_read_is_refused(where: str) -> None:
    with pytest.raises((UnreadableUrlError, ValueError)):
        database(f"postgres://shop:pw@{where}/tandem")


def test_several_servers_reach_the_connections_of_pages_and_of_the_writers() -> None:
    asked = "from django.db import connections as c;"
    asked += "p = [c[n].get_connection_params() for n in ('default', 'writer')];"
    asked += "print([(one['host'], one['port'], one['target_session_attrs']) for one in p])"

    shown = manage("shell", "-v0", "-c", asked, **{**PRODUCTION, "DATABASE_URL": TWO})

    one = "('a.example.org,b.example.org', '5432,5433', 'read-write')"
    assert f"[{one}, {one}]" in shown.stdout, shown.stderr


def test_a_connection_finds_the_server_that_lives() -> None:
    real = urlsplit(os.environ["DATABASE_URL"])
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        account, _at, living = real.netloc.rpartition("@")
        where = f"{account}@127.0.0.1:{closed.getsockname()[1]},{living}"
        read = database(real._replace(netloc=where).geturl())

        with psycopg.connect(
            host=read["HOST"],
            port=read["PORT"],
            user=read["USER"],
            password=read["PASSWORD"],
            dbname=read["NAME"],
            **read["OPTIONS"],
        ) as connection:
            found = connection.execute("SELECT inet_server_port()").fetchone()

    assert found is not None
    assert found[0] == real.port
