"""The memory of this machine, or of the container that this process is limited to."""

import os
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def available_memory() -> int:
    """Return the bytes of memory that this process and its children may use together."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *cgroup_limits(OWN_CGROUPS, CGROUPS)])


def cgroup_limits(own: Path, root: Path) -> list[int]:
    """Return the limits of the control groups in the file `own` and of all groups above them.

    Version 2 has one tree below `root` (memory.max), version 1 has one for memory. A group that
    isn't visible, as in a container that mounts only its own as the root, is passed over.
    """
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []  # not Linux
    limits = []
    for line in lines:
        _number, controllers, path = line.split(":", 2)
        if controllers == "":
            tree, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            tree, name = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = PurePosixPath(path.lstrip("/"))
        for folder in [group, *group.parents]:
            try:
                text = (tree / folder / name).read_text().strip()
            except OSError:
                continue
            if text != "max":
                limits.append(int(text))
    return limits
