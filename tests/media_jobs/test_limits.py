"""Pictures have less time than the task that makes them."""

import subprocess
import sys
import time

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from media_jobs.limits import picture_time

HANGS = """
import ctypes, sys
from media_jobs.limits import picture_time
print("begins", flush=True)
# Holds the interpreter and lets no signal handler run, as a decoder that hangs may.
hang = lambda: ctypes.PyDLL(None).sleep(40)
if "--without-limit" in sys.argv:
    hang()
with picture_time(0.1, grace=0.2):
    for _turn in range(40):
        hang()
"""


def test_a_picture_that_takes_too_long_is_interrupted():
    with pytest.raises(SoftTimeLimitExceeded), picture_time(0.05):
        time.sleep(30)


def test_what_is_done_in_time_is_left_alone():
    with picture_time(0.2, grace=0.1):
        pass

    time.sleep(0.5)  # past both


def hanging(*options: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HANGS, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "begins\n"
    return process


def test_a_decoder_that_hangs_is_ended_with_its_process():
    assert hanging().wait(timeout=30) == 1


def test_control_without_the_limit_it_hangs():
    process = hanging("--without-limit")
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
    finally:
        process.kill()
        process.wait()
