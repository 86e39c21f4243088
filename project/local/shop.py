"""The processes of `bin/up`: their order, and the environment by which they find each other.

servers → mailbox → `manage.py prepare` (migrations, demo shop, admin) → web → relay, workers
and beat → at the first start, the demo's pictures. A server or mailbox whose URL the environment
names isn't started.
"""

import asyncio
import errno
import os
import secrets
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

from project.local import reaper
from project.local.console import Console
from project.local.data_folder import DataFolder, is_free, write_private
from project.local.embedded.postgres import PostgresServer
from project.local.embedded.valkey import ValkeyServer
from project.local.env import ROOT, SETTING_NAMES, data_path, given_environment
from project.local.errors import CannotStart
from project.local.processes import PidFile, stop_everything
from project.local.supervisor import Service, Supervisor

PYTHON = sys.executable
MANAGE = (PYTHON, str(ROOT / "manage.py"))
# No banner, and no warning about root: that is about pickle, which is off.
CELERY = (PYTHON, "-W", "ignore:You're running the worker", "-m", "celery", "-q", "-A", "project")
LAST_RUN_SECONDS = 35.0  # for the processes of a killed run to stop

WEB = (PYTHON, "-m", "gunicorn", "-c", "python:project.gunicorn", "project.wsgi")


def _worker(queue: str, pool: str, *, size: int, niceness: int = 0) -> Service:
    return Service(
        queue,
        [
            *("nice", "-n", str(niceness)),
            *(*CELERY, "worker", "-Q", queue, "-P", pool, "-c", str(size), "-n", f"{queue}@%h"),
            *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
        ],
    )


WORKERS = (
    Service("relay", [*MANAGE, "relay"]),
    # Sending is mostly waiting: threads (docs/benchmarks.md, "Pools"). Decoding pictures computes,
    # and may kill its process: prefork. Both are niced, because shoppers wait for the web.
    _worker("notify", "threads", size=8, niceness=5),
    # Two processes, because only one of them processes a video (media_jobs/video_slot.py).
    _worker("media", "prefork", size=2, niceness=10),
    _worker("default", "threads", size=2),
    Service("beat", [*CELERY, "beat", "--loglevel", "INFO"]),
)


class LocalShop:
    """One shop in one data folder; `given` is the environment that bin/up was called with."""

    def __init__(self, data: DataFolder, *, given: Mapping[str, str], console: Console) -> None:
        self._data = data
        self._given = given
        self._supervisor = Supervisor(data, console)
        self._values: dict[str, str] = {}

    async def run(self) -> None:
        """Run until a signal; raise CannotStart if it doesn't come up."""
        await self._supervisor.run(self._start)

    async def _start(self) -> None:
        begin = time.monotonic()
        keep, until_ready = self._supervisor.keep, self._supervisor.until_ready
        is_new = not (self._data.path / "env").exists()
        if is_new:
            self._supervisor.say("A new shop: its database and demo take about a minute, once.")
        servers = await asyncio.to_thread(self.prepare)
        services = {server: _service(server) for server in servers}
        for service in services.values():
            keep(service)
        for server, service in services.items():
            await until_ready(service)
            await asyncio.to_thread(server.once_ready)
        if not (self._given.get("EMAIL_URL") and self._given.get("SMS_URL")):
            keep(Service("mailbox", [*MANAGE, "mailbox"]))
        await self._supervisor.finish(Service("prepare", [*MANAGE, "prepare"]))
        web = Service("web", WEB, is_ready=self._web_answers)
        keep(web)
        await until_ready(web)
        for service in WORKERS:
            keep(service)
        if is_new:
            await self._draw_demo()
        self._announce(seconds=time.monotonic() - begin)

    async def _draw_demo(self) -> None:
        """Wait until the demo's pictures are made: nobody should first see a shop without them."""
        try:
            await self._supervisor.finish(Service("demo", [*MANAGE, "demo", "--wait"]))
        except CannotStart as obstacle:  # the shop itself is up
            self._supervisor.say(f"{obstacle}. The pictures follow when they are made.")

    def prepare(self) -> list[PostgresServer | ValkeyServer]:
        """Prepare secrets and ports, write the processes' environment (`$TANDEM_DATA/env`), and
        return the servers to start: those whose URL isn't given."""
        given, data = self._given, self._data
        port = given.get("PORT") or "8000"
        values = {name: given[name] for name in SETTING_NAMES if given.get(name)}
        values |= {
            "TANDEM_DATA": str(data.path),
            "TANDEM_LOCAL": given.get("TANDEM_LOCAL", "1"),
            "PORT": port,
            "SITE_URL": given.get("SITE_URL") or f"http://localhost:{port}",
            "SECRET_KEY": given.get("SECRET_KEY") or data.secret("secret_key"),
        }
        servers: list[PostgresServer | ValkeyServer] = []
        if "DATABASE_URL" not in values:
            servers.append(PostgresServer(data))
            values["DATABASE_URL"] = servers[-1].url
        if "CELERY_BROKER_URL" not in values:
            servers.append(ValkeyServer(data))
            values["CELERY_BROKER_URL"] = servers[-1].url
        for server in servers:
            server.prepare()
        smtp_port, http_port = data.port("mailbox_smtp_port"), data.port("mailbox_http_port")
        values.setdefault("EMAIL_URL", f"smtp://127.0.0.1:{smtp_port}")
        values.setdefault("SMS_URL", f"http://127.0.0.1:{http_port}/sms")
        # The mailbox sends receipts, as providers do.
        signed = ",".join(f"{name}={data.secret(f'receipts_{name}')}" for name in ("email", "sms"))
        values.setdefault("RECEIPT_SECRETS", signed)
        data.write_env(values)
        _admin_password(data)
        self._values = values
        self._supervisor.environment = {
            **given,
            **values,
            "MAILBOX_SMTP_PORT": str(smtp_port),
            "MAILBOX_HTTP_PORT": str(http_port),
            "PYTHONUNBUFFERED": "1",
        }
        return servers

    def _web_answers(self) -> bool:
        # Not by urllib, which would use the environment's proxy.
        connection = HTTPConnection("127.0.0.1", int(self._values["PORT"]), timeout=2)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse()
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
        return True

    def _announce(self, *, seconds: float) -> None:
        site, say = self._values["SITE_URL"], self._supervisor.say
        say(f"Tandem is up after {seconds:.0f} s. Ctrl-C stops it.")
        say(f"  Shop     {site}/")
        say(f"  Admin    {site}/admin/  (admin, {_admin_password(self._data)})")
        if self._values["TANDEM_LOCAL"] == "1":
            say(f"  Mailbox  {site}/mailbox/")
            say(f"  Bank     {site}/test-bank/")


def up() -> int:
    """Run the local shop until a signal; return the exit code."""
    data, given, console = DataFolder(data_path()), given_environment(), Console(1)
    try:
        port = _port(given.get("PORT") or "8000")
        data.create()
        lock = _lock(data, console)
        guard = reaper.start_reaper(data, lock=lock)
        me = PidFile(data.run, "up")
        try:
            stop_everything(data.run, data=data.path)  # the processes of a killed run
            if not (is_free(port) and (is_free(port, "::1") or not is_free(0, "::1"))):
                raise CannotStart(f"Port {port} is taken: set PORT to a free one.")
            me.write(os.getpid())
            asyncio.run(LocalShop(data, given=given, console=console).run())
        finally:
            me.remove()
            guard.communicate()
    except CannotStart as obstacle:
        return _refuse(str(obstacle))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _refuse(f"The disk is full: make room below {data.path}.")
        return _refuse(f"{error.strerror}: {error.filename}")
    except KeyboardInterrupt:
        return 130
    return 0


def _refuse(reason: str) -> int:
    print(f"bin/up: {reason}", file=sys.stderr)
    return 1


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65_536:
        return int(text)
    raise CannotStart(f"PORT must be a number from 1 to 65535, not {text!r}.")


def _service(server: PostgresServer | ValkeyServer) -> Service:
    return Service(
        server.name,
        server.argv,
        popen_options=server.popen_options,
        before_start=server.before_start,
        is_ready=server.is_ready,
        is_noise=server.is_noise,
    )


def _admin_password(data: DataFolder) -> str:
    """Return the password from its file; at the first call, make it."""
    path = data.path / "admin-password"
    if not path.exists():
        write_private(path, f"{secrets.token_urlsafe(12)}\n")
    return path.read_text().strip()


def _lock(data: DataFolder, console: Console) -> int:
    """Lock the data folder; if a killed run's reaper still holds the lock, wait for it."""
    deadline = time.monotonic() + LAST_RUN_SECONDS
    told = False
    while (lock := data.lock()) is None:
        if running := PidFile(data.run, "up").living():
            raise CannotStart(
                f"Tandem already runs on {data.path} (process {running}): stop it first,"
                " or set TANDEM_DATA and PORT for a second shop."
            )
        if time.monotonic() > deadline:
            raise CannotStart(f"Something else uses {data.path}: stop it first.")
        if not told:
            console.line("up", "Waiting until the processes of the last run have stopped …")
            told = True
        time.sleep(0.1)
    return lock
