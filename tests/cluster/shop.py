"""The shop's machines: two that run every process of deploy/, the proxy, mail and the broker.

RabbitMQ is the run's own (TEST_AMQP_URL), with a virtual host for this shop. The way to it leads
through a gateway on the machine `broker`, which can be frozen.
"""

import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from project.local.env import ROOT, without_settings
from tests.brokers import RABBITMQ
from tests.cluster.network import Lab, Machine, Service
from tests.concurrency.proxies import replace
from tests.deploy.context import collect_files
from tests.deploy.files import SERVICES, SETTINGS, compose
from tests.deploy.proxies import HAPROXY
from tests.project.conf.production import PRODUCTION
from tests.project.gateway import Gateway

PROXY, BROKER, MAIL, CLIENTS = "192.0.2.10", "192.0.2.40", "192.0.2.41", "192.0.2.50"
WEB = {"web1": "192.0.2.11", "web2": "192.0.2.12"}
APPS = ("project", "orders", "notifications", "media_jobs")
HOST = SETTINGS["ALLOWED_HOSTS"]
_PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin"


def missing() -> str:
    """Return what isn't here for these machines; empty if all is."""
    if shutil.which("haproxy", path=_PATH) is None:
        return "HAProxy isn't installed"
    if not RABBITMQ:
        return "TEST_AMQP_URL isn't set"
    if shutil.which("rabbitmqctl", path=_PATH) is None:
        return "there is no rabbitmqctl, which makes a virtual host"
    return ""


@contextmanager
def virtual_host() -> Iterator[str]:
    """Make a virtual host in the run's RabbitMQ; yield the URL that leads to it."""
    name, parts = f"tandem-cluster-{secrets.token_hex(4)}", urlsplit(RABBITMQ)
    _rabbitmqctl("add_vhost", name)
    try:
        _rabbitmqctl("set_permissions", "-p", name, parts.username or "guest", ".*", ".*", ".*")
        yield urlunsplit(parts._replace(path=f"/{quote(name, safe='')}"))
    finally:
        _rabbitmqctl("delete_vhost", name)


def _rabbitmqctl(*arguments: str) -> None:
    subprocess.run(
        ["rabbitmqctl", "--quiet", *arguments],
        env={**os.environ, "PATH": _PATH},
        check=True,
        timeout=60,
        stdout=subprocess.DEVNULL,
    )


class Shop:
    """Its machines; `start` them once the databases are there."""

    def __init__(self, lab: Lab, folder: Path, *, database: str, broker: str) -> None:
        self._lab = lab
        self._broker = broker
        self.arrivals = folder / "arrivals"
        self.arrivals.touch()
        self._media = folder / "media"
        self._media.mkdir()
        self._database = database
        self._image = folder / "image"
        for app in APPS:  # with the times of the files, so that what is compiled fits
            shutil.copytree(ROOT / app, self._image / app)
        shutil.copy2(ROOT / "manage.py", self._image)

        def machine(name: str, address: str, **services: Service) -> Machine:
            return Machine(lab, name, address, switch="front", folder=folder, services=services)

        mail = [sys.executable, "-m", "tests.cluster.mail", str(self.arrivals)]
        self.mail = machine("mail", MAIL, mail=Service(mail, {"PATH": _PATH}))
        self.broker = machine("broker", BROKER)
        self.clients = machine("clients", CLIENTS)
        file = folder / "haproxy.cfg"
        file.write_text(proxy_settings(folder))
        proxy = Service(["haproxy", "-db", "-f", str(file)], {"PATH": _PATH}, cwd="/")
        self.proxy = machine("proxy", PROXY, haproxy=proxy)
        self.web = {name: machine(name, address) for name, address in WEB.items()}
        self.gateway: Gateway | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Boot the machines; the web machines' services are started by `boot_web`."""
        collecting = collect_files(self._image, self._environment("amqp://nowhere"))
        assert collecting.returncode == 0, collecting.stderr
        for machine in (self.mail, self.broker, self.clients, self.proxy):
            machine.boot()
        with self.broker.inside():  # there it listens; its own connections are made from here
            self.gateway = Gateway(self._broker, address=BROKER)
        serving = threading.Thread(target=self.gateway.serve_forever, args=(0.05,))
        serving.start()
        try:
            environment = self._environment(self.gateway.url)
            for machine in self.web.values():
                for name in SERVICES:
                    argv = compose()["services"][name]["command"]
                    machine.services[name] = Service(argv, environment, cwd=str(self._image))
                machine.boot()
            yield
        finally:
            self.gateway.cut()
            self.gateway.shutdown()
            serving.join()
            self.gateway.server_close()

    def _environment(self, broker: str) -> dict[str, str]:
        return {
            **without_settings(os.environ),
            **SETTINGS,
            "PATH": _PATH,
            "SECRET_KEY": PRODUCTION["SECRET_KEY"],
            "DATABASE_URL": self._database,
            "CELERY_BROKER_URL": broker,
            "EMAIL_URL": f"smtp://{MAIL}:25",
            "MEDIA_STORAGE": str(self._media),
            "ORDER_LIMITS": "off",
            "PYTHONUNBUFFERED": "1",
        }

    def is_ready(self, name: str) -> bool:
        """Tell whether a web machine lets shoppers in."""
        if not self.web[name].runs:
            return False
        with self.clients.inside(), suppress(httpx.TransportError):
            return httpx.get(
                f"http://{WEB[name]}:{SETTINGS['PORT']}/readyz",
                headers={"Host": HOST},
                timeout=5,
                trust_env=False,
            ).is_success
        return False


def proxy_settings(folder: Path) -> str:
    """Return the example of deploy/ for HAProxy with these machines, and without TLS."""
    servers = [
        f"    server {name} {address}:{SETTINGS['PORT']} check\n" for name, address in WEB.items()
    ]
    text = replace(r"^    bind :::80 .*\n", f"    bind {PROXY}:80\n", HAPROXY)
    text = replace(r"^    bind :::443 .*\n", "", text)
    text = replace(r"^    http-request redirect scheme https .*\n", "", text)
    text = replace(r"/run/haproxy/admin\.sock", str(folder / "haproxy.sock"), text)
    return replace(r"(^    server web\d .*\n)+", "".join(servers), text)
