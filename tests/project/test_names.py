"""Each sweep and each count of a run has a name for people, so that no program's name is shown."""

import pytest
from django.utils.module_loading import autodiscover_modules

from project.models import Limit
from project.names import RESULTS, SWEEPS
from project.schedule import sweeps
from project.schedule.prune import prune


def test_every_sweep_has_a_name() -> None:
    autodiscover_modules("sweeps")

    assert {sweep.name for sweep in sweeps.registered} <= SWEEPS.keys()


@pytest.mark.django_db
def test_everything_that_is_pruned_has_a_name() -> None:
    assert prune().keys() <= RESULTS.keys()


def test_a_limit_is_called_by_its_label() -> None:
    assert str(Limit(name="order:address")) == "Orders from one address"
