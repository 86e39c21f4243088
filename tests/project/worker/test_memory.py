"""The memory limits of a worker's process, each tried in a process of its own."""

import subprocess
import sys

import pytest

HOLDS = """
import ctypes
from pathlib import Path
from project.worker.memory import return_freed_memory
{begin}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

def block(size):
    place = libc.malloc(size)
    libc.memset(place, 1, size)
    return place

def held():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1000

before = held()
libc.free(block(30 << 20))  # a decoded photo
pictures = [(block(1 << 20), block(1000)) for _number in range(50)]
for large, _small in pictures:
    libc.free(large)
print(held() - before)
"""


def megabytes_held(begin: str) -> float:
    """Megabytes that a process holds after it freed what its pictures took."""
    done = subprocess.run(
        [sys.executable, "-c", HOLDS.format(begin=begin)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return float(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_what_a_worker_frees_is_the_systems_again() -> None:
    assert megabytes_held("return_freed_memory()") < 10


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_control_by_itself_it_stays_with_the_process() -> None:
    assert megabytes_held("") > 30


def test_a_process_that_wants_more_than_its_bound_gets_a_memory_error() -> None:
    wants = """
from project.worker.memory import limit_allocations
limit_allocations(300)
small = bytes(1_000_000)
try:
    bytes(400_000_000)
except MemoryError:
    print("bounded")
"""
    done = subprocess.run(
        [sys.executable, "-c", wants], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "bounded\n"
