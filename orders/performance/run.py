"""One performance run, from its refusal or first order to its figures.

Its task, and *Run now* at the desk, call `run_performance`. One runs at a time, by an advisory lock
that ends with its process.
"""

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from orders.models import Order
from orders.performance.figures import JobFigures, milliseconds, wait_for_jobs
from orders.performance.judgement import judge
from orders.performance.leftovers import LOCK, close_dead, remove_all
from orders.performance.load import Load, Plan, Sender
from orders.performance.tables import create_tables
from orders.placing.synthetic import sign_pass
from project.database.advisory_lock import try_lock
from project.models import PerformanceRun
from project.text import clean

logger = logging.getLogger(__name__)

State = PerformanceRun.State
MINUTE = timedelta(minutes=1)


def run_performance() -> dict[str, Any]:
    """Measure the shop by synthetic orders, by the settings; return the outcome as small JSON.

    It doesn't start beside another run, or while shoppers order more than
    PERFORMANCE_MOST_TRAFFIC a minute.
    """
    with try_lock(LOCK, using="writer") as alone:
        if not alone:
            return {"skipped": True}
        close_dead()
        run = PerformanceRun(rate=settings.PERFORMANCE_RATE, seconds=settings.PERFORMANCE_SECONDS)
        run.traffic = read_traffic()
        if run.traffic > settings.PERFORMANCE_MOST_TRAFFIC:
            run.state, run.finished_at = State.REFUSED, Now()
            run.save()
        else:
            run.save()
            _measure(run)
    return _outcome(PerformanceRun.objects.get(pk=run.pk))


def read_traffic() -> int:
    """Return the number of the shoppers' orders in the last minute; a run's aren't among them."""
    return Order.objects.filter(placed_at__gt=Now() - MINUTE).count()


class _Ending:
    """What ends a run before its time: the button, shoppers, errors."""

    def __init__(self, run: PerformanceRun) -> None:
        self._run = run
        self.state = State.DONE
        self.error = ""

    def look(self, load: Load) -> bool:
        """Tell whether the run is to end now; from then on the state says why."""
        self._run.traffic = max(self._run.traffic, read_traffic())
        if load.has_too_many_errors:
            self.state = State.FAILED
        elif self._run.traffic > settings.PERFORMANCE_MOST_TRAFFIC:
            self.state = State.GAVE_WAY
        else:
            return self.is_asked_to_stop()
        return True

    def is_asked_to_stop(self) -> bool:
        """Look at the button's column; a run that was closed by others ends, too."""
        going_on = PerformanceRun.objects.running().filter(pk=self._run.pk, stop_asked_at=None)
        if going_on.exists():
            return False
        self.state = State.STOPPED
        return True


def _measure(run: PerformanceRun) -> None:
    """Create the tables, send, wait for the jobs, remove everything, store the figures."""
    plan = Plan(rate=run.rate, seconds=run.seconds, run_pass=sign_pass(run.pk))
    ending = _Ending(run)
    load, jobs = Load(), JobFigures([], unfinished=0)
    try:
        create_tables(orders=plan.orders)
        load = Sender(plan, look=ending.look).run()
        if ending.state is State.DONE:
            jobs = wait_for_jobs(is_over=ending.is_asked_to_stop)
    except Exception as error:
        logger.exception("the performance run failed")
        ending.state = State.FAILED
        ending.error = clean(f"{type(error).__name__}: {error}", longest=500)
    finally:
        remove_all()
    _store(run, ending, load, jobs)
    judge(run)


def _store(run: PerformanceRun, ending: _Ending, load: Load, jobs: JobFigures) -> None:
    """Write the end of the run, unless it was closed meanwhile."""
    PerformanceRun.objects.running().filter(pk=run.pk).update(
        state=ending.state,
        reason=ending.error,
        traffic=run.traffic,
        finished_at=Now(),
        sent=load.sent,
        placed=len(load.times),
        errors=dict(load.errors.most_common(20)),
        rate_reached=round(len(load.times) / load.took, 2) if load.took else None,
        p50=milliseconds(load.times, 50),
        p95=milliseconds(load.times, 95),
        p99=milliseconds(load.times, 99),
        jobs=len(jobs.times),
        jobs_unfinished=jobs.unfinished,
        job_p50=milliseconds(jobs.times, 50),
        job_p95=milliseconds(jobs.times, 95),
        job_p99=milliseconds(jobs.times, 99),
    )


def _outcome(run: PerformanceRun) -> dict[str, Any]:
    ended = {} if run.state == State.DONE else {run.state: run.reason or True}
    return {**ended, "orders": run.placed, "p99": run.p99}
