"""What programs call sweeps, counts and states of services has words for people."""

import re

import pytest
from django.utils import translation
from django.utils.module_loading import autodiscover_modules

from orders.imports.report import Report
from project.models import Limit
from project.names import RESULTS, SWEEPS, service_name, service_note, service_state
from project.schedule import sweeps
from project.schedule.prune import prune


def test_every_sweep_has_a_name() -> None:
    autodiscover_modules("sweeps")

    assert {sweep.name for sweep in sweeps.registered} <= SWEEPS.keys()


@pytest.mark.django_db
def test_everything_that_is_pruned_has_a_name() -> None:
    assert prune().keys() <= RESULTS.keys()


def test_what_an_import_counts_has_names() -> None:
    assert Report(dry_run=False).counts().keys() <= RESULTS.keys()


def test_a_limit_is_called_by_its_label() -> None:
    assert str(Limit(name="order:address")) == "Orders from one address"


@pytest.mark.parametrize(
    "state",
    [
        "not seen for 34 s",
        "paused (for 12 s)",
        "late: settle_due never done",
        "late: expire_due not done for 61 s, wake never done",
    ],
)
def test_a_state_of_our_own_has_no_english_left(state: str) -> None:
    with translation.override("zh-hans"):
        said = service_state(state)

    assert not re.search("[A-Za-z]", said)


def test_a_providers_words_stay_as_it_said_them() -> None:
    with translation.override("zh-hans"):
        assert service_state("503 try later (for 12 s)") == "503 try later（已持续 12 秒）"


def test_a_silent_process_is_named_in_the_readers_language() -> None:
    note = "2 of 3: relay@a:1 not seen for 34 s, relay@b:2 not seen for 50 s"

    with translation.override("zh-hans"):
        said = service_note(note)

    assert re.findall("[A-Za-z@:]+[0-9]*", said) == ["relay@a:1", "relay@b:2"]
    with translation.override("en"):
        assert service_note(note) == note


def test_the_sweeps_have_a_name_among_the_services() -> None:
    with translation.override("zh-hans"):
        assert service_name("sweeps") == "巡检"
