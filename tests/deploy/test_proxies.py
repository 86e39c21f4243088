"""The examples for nginx and HAProxy: by the proxies' own checks, and that they fit the shop."""

import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import resolve
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER

from project import gunicorn
from tests.deploy.files import SETTINGS
from tests.deploy.proxies import HAPROXY, NGINX, NGINX_MAIN, program


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and its certificate, in one file."""
    key, own = tmp_path / "key.pem", tmp_path / "own.pem"
    made = run(
        *(program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
        *("-subj", "/CN=shop.example.org", "-keyout", str(key), "-out", str(own)),
    )
    assert made.returncode == 0, made.stderr
    whole = tmp_path / "shop.pem"
    whole.write_text(own.read_text() + key.read_text())
    return whole


def nginx(text: str, certificate: Path) -> subprocess.CompletedProcess[str]:
    """Let nginx check the text, with names and ports that this machine has."""
    folder = certificate.parent
    text = re.sub(r"/etc/nginx/certificates/\w+\.pem", str(certificate), text)
    text = re.sub(r"listen (\[::\]:)?(80|443)", r"listen 127.0.0.1:8\2", text)
    text = re.sub(r"(listen 127\S+.*\n) +listen 127.*\n", r"\1", text)
    (folder / "tandem.conf").write_text(text.replace("server web:", "server 127.0.0.1:"))
    (folder / "nginx.conf").write_text(NGINX_MAIN.format(folder=folder))
    log = f"error_log {folder}/log;"
    return run(program("nginx"), "-t", "-c", f"{folder}/nginx.conf", "-g", log, "-e", "stderr")


def test_nginx_takes_its_example(certificate: Path) -> None:
    checked = nginx(NGINX, certificate)

    assert checked.returncode == 0, checked.stderr


def test_control_nginx_refuses_an_unknown_directive(certificate: Path) -> None:
    text = NGINX.replace("client_max_body_size", "client_maximal_body_size")

    assert nginx(text, certificate).returncode != 0


def haproxy(text: str, certificate: Path) -> subprocess.CompletedProcess[str]:
    path = certificate.with_name("haproxy.cfg")
    path.write_text(text.replace("/etc/haproxy/certificates/shop.pem", str(certificate)))
    return run(program("haproxy"), "-c", "-f", str(path))


def test_haproxy_takes_its_example(certificate: Path) -> None:
    checked = haproxy(HAPROXY, certificate)

    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr.upper()


def test_control_haproxy_refuses_an_unknown_keyword(certificate: Path) -> None:
    assert haproxy(HAPROXY.replace("option httpchk", "option htpchk"), certificate).returncode != 0


def test_they_lead_to_the_shops_port() -> None:
    upstream = re.findall(r"^ +server [\w.]+:(\d+)", NGINX, re.MULTILINE)
    servers = re.findall(r"^ +server \w+ [\d.]+:(\d+) check$", HAPROXY, re.MULTILINE)

    assert set(upstream + servers) == {SETTINGS["PORT"]}
    assert len(servers) == 2


def test_they_know_the_shops_host_and_its_pages() -> None:
    (path, host) = re.findall(r"meth GET uri (\S+) ver \S+ hdr Host (\S+)", HAPROXY)[0]

    assert resolve(path).url_name == "readyz"
    assert host == SETTINGS["ALLOWED_HOSTS"]
    assert set(re.findall(r"server_name (\S+);", NGINX)) == {SETTINGS["ALLOWED_HOSTS"]}


def test_they_hide_the_figures() -> None:
    resolve("/metrics")

    assert re.search(r"location = /metrics {\s+return 404;", NGINX)
    assert "http-request return status 404 if { path /metrics }" in HAPROXY


def test_they_say_who_asked_and_by_which_scheme() -> None:
    assert SETTINGS["TRUSTED_PROXY_COUNT"] == "1"
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in NGINX
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in NGINX
    assert "http-request set-header X-Forwarded-Proto https" in HAPROXY
    assert "option forwardfor" in HAPROXY


def test_they_never_send_on_a_connection_that_a_web_process_is_closing() -> None:
    (seconds,) = re.findall(r"keepalive_timeout (\d+)s;", NGINX)

    assert int(seconds) < min(gunicorn.keepalive, STOP_KEEPALIVE_LINGER)
    assert "option http-server-close" in HAPROXY


def test_they_notice_a_stop_and_a_start_in_time() -> None:
    (checks,) = re.findall(
        r"default-server inter (\d+)s downinter (\d+)s fall (\d+) rise (\d+)", HAPROXY
    )
    seconds, seconds_down, fall, rise = map(int, checks)
    (fail_timeout,) = re.findall(r"fail_timeout=(\d+)s;", NGINX)

    assert seconds_down * rise < seconds * (fall - 1)
    assert int(SETTINGS["DRAIN_SECONDS"]) > seconds * fall
    assert int(SETTINGS["DRAIN_SECONDS"]) > int(fail_timeout)


def test_nginx_lets_the_largest_upload_pass() -> None:
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", NGINX)

    assert int(megabytes) > settings.MEDIA_MAX_VIDEO_MB
