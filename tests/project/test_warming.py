"""A process that was just started answers its first requests like all others."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.validators import EmailValidator

from tests.database import this_database
from tests.factories import add_product

pytestmark = pytest.mark.django_db(transaction=True)


def first_requests(*how: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.project.first_requests", *how],
        env=os.environ | {"DATABASE_URL": this_database()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made


def test_the_first_requests_make_nothing_that_all_can_use() -> None:
    add_product("MUG")

    made = first_requests()

    assert made["statuses"] == [200, 200, 201]
    assert made["addresses"] == []
    assert made["templates"] == []
    assert EmailValidator.domain_regex.pattern not in made["expressions"]


def test_control_without_warming_up_they_make_all_of_it() -> None:
    add_product("MUG")

    made = first_requests("cold")

    assert made["statuses"] == [200, 200, 201]
    assert made["addresses"]
    assert made["templates"]
    assert EmailValidator.domain_regex.pattern in made["expressions"]
