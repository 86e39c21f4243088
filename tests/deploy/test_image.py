"""The image: small, not root, pinned, without the secrets and data of its folder."""

import os
import re
from pathlib import Path

import pytest
from django.conf import settings

from project.local.env import ROOT, without_settings
from tests.deploy.context import collect_files, copy_to, is_in_the_image
from tests.deploy.files import IMAGE, SETTINGS, compose, containers, dockerfile, kustomization

BUILD_TOOLS = re.compile(r"\b(?:gcc|g\+\+|make|build-essential|apt-get|apk|pip install|-dev)\b")
PINNED = re.compile(r":\d+\.\d+\.\d+[\w.-]*$|postgres:\d+\.\d+-\w+$|@sha256:[0-9a-f]{64}$")


def test_the_last_stage_is_not_root_and_has_nothing_that_builds() -> None:
    *_build, last = dockerfile()
    users = [line for line in last if line.startswith("USER ")]

    assert len(dockerfile()) > 1
    assert users == ["USER 10001:10001"]
    assert last.index(users[0]) > max(n for n, line in enumerate(last) if line.startswith("RUN "))
    assert [line for line in last if BUILD_TOOLS.search(line)] == []
    assert "pip uninstall --yes" in " ".join(last)
    assert all("--from=build" in line for line in last if line.startswith(("COPY", "ADD")))


def test_packages_are_wheels_with_their_hashes() -> None:
    (install,) = [line for line in dockerfile()[0] if "install" in line]

    assert install.count("install") == install.count("--require-hashes") == 2
    assert install.count("--only-binary :all:") == 2


@pytest.mark.parametrize(
    "path",
    [
        *(
            ".git/config",
            ".env",
            ".env.production",
            ".data/env",
            "project/.env",
            ".venv/bin/python",
        ),
        *("deploy/secrets.env", "deploy/postgres-password", "media/x.jpg", "tests/conftest.py"),
        "orders/__pycache__/apps.cpython-311.pyc",
    ],
)
def test_what_is_private_or_not_needed_stays_out(path: str) -> None:
    assert not is_in_the_image(path)


def test_what_runs_is_in_the_image() -> None:
    apps = [name for name in settings.INSTALLED_APPS if (ROOT / name.partition(".")[0]).is_dir()]

    assert len(apps) >= 4
    extras = ("requirements-stripe.txt", "requirements-opentelemetry.txt")
    for name in ("manage.py", "requirements.txt", *extras):
        assert is_in_the_image(name)
    for name in apps:
        assert is_in_the_image(f"{name.partition('.')[0]}/__init__.py")


def test_the_build_collects_the_pages_files_from_what_it_is_given(tmp_path: Path) -> None:
    copy_to(tmp_path)

    collected = collect_files(tmp_path, without_settings(os.environ))

    assert collected.returncode == 0, collected.stderr
    assert (tmp_path / "staticfiles" / "staticfiles.json").is_file()


def images() -> set[str]:
    """Return every image that a file names."""
    built = {line.split()[1] for stage in dockerfile() for line in stage if line[:5] == "FROM "}
    started = {each["image"] for each in compose()["services"].values()}
    return built | started | {container["image"] for _name, container in containers()}


def test_images_are_pinned() -> None:
    assert [image for image in images() if not PINNED.search(image)] == []


@pytest.mark.parametrize("image", ["nginx", "nginx:latest", "postgres:18", "python:3.11-slim"])
def test_control_an_image_that_may_change_is_found(image: str) -> None:
    assert not PINNED.search(image)


def test_all_processes_are_of_one_release() -> None:
    (pinned,) = kustomization()["images"]

    assert {image for image in images() if IMAGE in image} == {f"{IMAGE}:{pinned['newTag']}"}
    assert pinned["name"] == IMAGE


def test_the_image_exposes_the_port_of_the_settings() -> None:
    assert f"EXPOSE {SETTINGS['PORT']}" in dockerfile()[-1]
