"""The examples for nginx and HAProxy, and the programs."""

import shutil

import pytest

from tests.deploy.files import DEPLOY

NGINX = (DEPLOY / "nginx" / "tandem.conf").read_text()
HAPROXY = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
NGINX_MAIN = (
    "pid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\ninclude {folder}/tandem.conf;\n}}\n"
)
"""nginx's own file, which includes the example."""


def program(name: str) -> str:
    """Return the program's path, or skip the test."""
    found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    return found or pytest.skip(f"{name} isn't installed")
