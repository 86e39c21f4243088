"""The performance runs at the desk: their chart, the comparison, and the button that stops one."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db.models.functions import Now
from django.test import Client
from django.utils import translation

from orders.models import User
from project.desk.lines import Line, draw, round_up
from project.models import PerformanceRun

pytestmark = pytest.mark.django_db

LIST = "/admin/project/performancerun/"
State = PerformanceRun.State


def add_run(p99: float | None = 80.0, **values: Any) -> PerformanceRun:
    plan = {"rate": 5, "seconds": 60, "state": State.DONE, "finished_at": Now()}
    return PerformanceRun.objects.create(p50=20.0, p95=50.0, p99=p99, **plan | values)


def running() -> PerformanceRun:
    return PerformanceRun.objects.create(rate=5, seconds=60)


def page(client: Client, run: PerformanceRun) -> str:
    return client.get(f"{LIST}{run.pk}/change/").content.decode()


def test_the_list_shows_the_figures_and_a_chart_of_two_runs_or_more(admin_client: Client) -> None:
    add_run(p99=81.0)
    before = admin_client.get(LIST).content.decode()
    add_run(p99=82.0)
    after = admin_client.get(LIST).content.decode()

    assert "81 ms" in before
    assert "desk-run-chart" not in before
    assert "82 ms" in after
    assert 'aria-label="p50, p95 and p99 of 2 runs' in after


def test_a_run_stands_beside_the_median_of_those_before_it(admin_client: Client) -> None:
    for p99 in (100.0, 110.0, 120.0):
        add_run(p99)
    slow = add_run(220.0, usual_p99=110.0, is_slower=True)

    shown = page(admin_client, slow)

    assert "slower than usual" in shown
    assert "110 ms" in shown
    assert "+100 %" in shown


def test_a_run_that_goes_on_is_stopped_once_and_the_log_says_who(admin_client: Client) -> None:
    run = running()
    assert f"{LIST}{run.pk}/stop/" in page(admin_client, run)

    first = admin_client.post(f"{LIST}{run.pk}/stop/", follow=True).content.decode()
    run.refresh_from_db()
    asked_at = run.stop_asked_at
    second = admin_client.post(f"{LIST}{run.pk}/stop/", follow=True).content.decode()

    run.refresh_from_db()
    assert "It stops within some seconds" in first
    assert "doesn&#x27;t run any more" in second
    assert run.stop_asked_at == asked_at is not None
    assert f"{LIST}{run.pk}/stop/" not in page(admin_client, run)


def test_a_run_that_ended_is_not_stopped(admin_client: Client) -> None:
    run = add_run()

    admin_client.post(f"{LIST}{run.pk}/stop/")

    run.refresh_from_db()
    assert run.stop_asked_at is None
    assert f"{LIST}{run.pk}/stop/" not in page(admin_client, run)


def test_who_may_only_look_can_not_stop_it(client: Client) -> None:
    viewer = User.objects.create_user("viewer", "viewer@example.org", "x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_performancerun"))
    client.force_login(viewer)
    run = running()

    assert f"{LIST}{run.pk}/stop/" not in page(client, run)
    assert client.post(f"{LIST}{run.pk}/stop/").status_code == 403


def test_in_chinese_no_state_is_left_in_english(admin_client: Client) -> None:
    with translation.override("zh-hans"):
        for state in State.values:
            assert not PerformanceRun(state=state).get_state_display().isascii()


@pytest.mark.parametrize(("value", "top"), [(0, 1), (1, 1), (3, 5), (84, 100), (130, 200)])
def test_the_scale_ends_with_a_round_number(value: float, top: float) -> None:
    assert round_up(value) == top


def test_a_gap_breaks_the_line() -> None:
    [drawn] = draw([Line("p50", "p50", [1.0, None, 2.0], ["a", "b", "c"])]).lines

    assert len(drawn.pieces) == 2
    assert [words for _x, _y, words in drawn.dots] == ["a", "c"]
