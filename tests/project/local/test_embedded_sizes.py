"""The embedded PostgreSQL's settings by the machine's memory, and how much that is."""

from pathlib import Path

import pytest

from project.local.embedded.memory import available_memory, cgroup_limits
from project.local.embedded.sizes import GIB, LARGE, MEDIUM, SMALL, settings_for

MIB = 1024**2


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("memory", "settings"),
    [
        (1 * GIB, SMALL),
        (4 * GIB - 1, SMALL),
        (4 * GIB, MEDIUM),
        (15 * GIB, MEDIUM),
        (16 * GIB - 200 * MIB, LARGE),
        (64 * GIB, LARGE),
    ],
)
def test_the_size_goes_by_the_memory(memory: int, settings: dict[str, str]) -> None:
    assert settings_for(memory) == settings


def test_a_groups_limit_of_version_2_counts_and_those_above_it(tmp_path: Path) -> None:
    own = write(tmp_path / "own", "0::/shop.slice/web\n")
    write(tmp_path / "root/shop.slice/web/memory.max", "max\n")
    write(tmp_path / "root/shop.slice/memory.max", f"{2 * GIB}\n")

    assert cgroup_limits(own, tmp_path / "root") == [2 * GIB]


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    own = write(tmp_path / "own", "0::/../../docker/abc\n")
    write(tmp_path / "root/memory.max", f"{GIB}\n")

    assert GIB in cgroup_limits(own, tmp_path / "root")


def test_version_1_has_a_tree_for_memory(tmp_path: Path) -> None:
    own = write(tmp_path / "own", "9:name=systemd:/\n5:cpu,memory:/shop\n")
    write(tmp_path / "root/memory/shop/memory.limit_in_bytes", f"{3 * GIB}\n")

    assert cgroup_limits(own, tmp_path / "root") == [3 * GIB]


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert cgroup_limits(tmp_path / "missing", tmp_path) == []


def test_this_machine_has_some_memory() -> None:
    assert available_memory() > 256 * MIB
