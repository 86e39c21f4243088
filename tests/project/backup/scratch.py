"""An empty database beside the test's own, and the commands of a shop that has it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from project.local.env import ROOT


class Scratch:
    """The database, and the commands."""

    def __init__(self, folder: Path) -> None:
        server = os.environ["DATABASE_URL"].rpartition("/")[0]
        self.url = f"{server}/test_restored_{os.getpid()}"
        self.environment = {
            **os.environ,
            "DATABASE_URL": self.url,
            "MEDIA_STORAGE": str(folder / "restored-media"),
            "DJANGO_SETTINGS_MODULE": "project.settings",
        }

    def manage(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def all(self, query: str) -> list[Any]:
        with psycopg.connect(self.url) as session:
            return [row[0] for row in session.execute(query)]

    def do(self, statement: str) -> None:
        with psycopg.connect(self.url) as session:
            session.execute(statement)

    def is_empty(self) -> bool:
        query = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        return self.all(query) == [0]


@contextmanager
def scratch_database(folder: Path) -> Iterator[Scratch]:
    made = Scratch(folder)
    name = sql.Identifier(made.url.rpartition("/")[2])
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
        session.execute(drop)
        session.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield made
        finally:
            session.execute(drop)
