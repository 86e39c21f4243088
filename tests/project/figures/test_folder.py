"""The folder of gunicorn's processes: it goes with the master."""

import os
import subprocess
import sys
from pathlib import Path

from project.left_folders import remove_left_ones

MASTER = """
import os, sys
from project.figures import folder
folder.make()
from project.figures.noting import Counter, count, flush, page
orders = Counter("orders", "orders")
for number in (1, 2):
    if os.fork() == 0:
        count(orders, amount=number)
        flush()
        sys.exit()  # with the master's own ending calls
os.wait(), os.wait()
assert folder.of_this_process().is_dir()
print(folder.of_this_process(), "orders_total 3.0" in page().decode())
"""


def test_the_processes_of_a_master_are_added_up_and_leave_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MASTER], capture_output=True, text=True, check=True, timeout=60
    )

    folder, is_sum = done.stdout.split()
    assert is_sum == "True"
    assert not Path(folder).exists()


def test_what_a_killed_master_left_is_removed_and_a_living_ones_is_not(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left, living = (
        tmp_path / f"tandem-figures-{gone.pid}-a",
        tmp_path / (f"tandem-figures-{os.getpid()}-b"),
    )
    foreign = tmp_path / "tandem-figures-x"
    for folder in (left, living, foreign):
        folder.mkdir()

    remove_left_ones("tandem-figures-", tmp_path)

    assert [living.exists(), foreign.exists(), left.exists()] == [True, True, False]
