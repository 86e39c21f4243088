"""Spans: what they tell, what they don't, and that they are nothing where nobody asks for them."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orders.models import DeskJob
from project.local.env import ROOT
from project.tracing import spans
from project.tracing.spans import ROOT as BEGINS_A_TRACE
from project.tracing.spans import span, traceparent

OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
LOADED = """
import sys
import project.wsgi, project.relay
from project.tracing.sending import start_sending
from project.tracing.spans import span, traceparent
start_sending("web")
with span("nothing", links=["x"], job_id="1") as made:
    assert (made.trace_id, traceparent()) == ("", "")
# redis-py itself loads the parts for its metrics, where they are installed, with the API's traces.
ours = ("opentelemetry.sdk.trace", "opentelemetry.exporter")
print(sorted(name for name in sys.modules if name.startswith(ours)))
"""


def test_without_the_variables_neither_tracer_nor_exporter_is_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


def test_a_span_within_another_is_its_child(ended: Any) -> None:
    with span("outer"), span("inner", "client", gateway="email"):
        pass

    inner, outer = ended.get_finished_spans()
    assert inner.parent.span_id == outer.context.span_id
    assert inner.attributes == {"tandem.gateway": "email"}


def test_a_kept_traceparent_is_gone_on_with_in_another_thread(ended: Any) -> None:
    def work(kept: str) -> None:
        with span("job", "consumer", parent=kept):
            pass

    with span("request"), ThreadPoolExecutor(1) as thread:
        thread.submit(work, traceparent()).result()

    job, request = ended.get_finished_spans()
    assert job.context.trace_id == request.context.trace_id
    assert job.parent.span_id == request.context.span_id


@pytest.mark.parametrize("kept", ["", "nonsense", OTHER[:-1], f"ff{OTHER[2:]}", BEGINS_A_TRACE])
def test_one_that_says_nothing_begins_a_trace(ended: Any, kept: Any) -> None:
    with span("request"), span("job", parent=kept):
        pass

    job, request = ended.get_finished_spans()
    assert job.parent is None
    assert job.context.trace_id != request.context.trace_id


def test_links_name_the_others_and_leave_out_what_says_nothing(ended: Any) -> None:
    with span("batch", parent=BEGINS_A_TRACE, links=["", OTHER, "nonsense"]):
        pass

    [batch] = ended.get_finished_spans()
    [link] = batch.links
    assert f"{link.context.trace_id:032x}-{link.context.span_id:016x}" == OTHER[3:-3]


def test_a_trace_that_is_not_kept_is_gone_on_with_as_such(ended: Any) -> None:
    with span("job", parent=UNSAMPLED):
        assert traceparent().endswith("-00")

    assert ended.get_finished_spans() == ()


def test_an_error_is_told_by_its_kind_and_not_by_its_words(ended: Any) -> None:
    with pytest.raises(ValueError, match="ada"), span("job"):
        raise ValueError("ada@example.org isn't there")

    [job] = ended.get_finished_spans()
    assert job.attributes == {"error.type": "ValueError"}
    assert not job.status.is_ok
    assert "ada" not in job.to_json()


def test_a_refusal_is_no_error(ended: Any) -> None:
    with pytest.raises(KeyError), span("job", refusals=(LookupError,)):
        raise KeyError

    [job] = ended.get_finished_spans()
    assert job.status.is_unset
    assert job.attributes == {}


@pytest.mark.django_db
def test_each_job_that_is_queued_keeps_the_span_in_which_it_was(ended: Any) -> None:
    with span("request"):
        queued = DeskJob.objects.create(kind="export_person")
        expected = traceparent()

    queued.refresh_from_db()
    assert queued.traceparent == expected
    assert len(expected) == spans.LONGEST_TRACEPARENT


@pytest.mark.django_db
def test_without_a_tracer_it_keeps_nothing() -> None:
    assert DeskJob.objects.create(kind="export_person").traceparent == ""
