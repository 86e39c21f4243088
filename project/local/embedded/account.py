"""The system account that runs PostgreSQL, which refuses root: an existing one, for root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from project.local.errors import CannotStart


@dataclass(frozen=True)
class Account:
    """A system user that a process of ours runs as."""

    name: str
    uid: int
    gid: int

    @property
    def popen_options(self) -> dict[str, Any]:
        """Options for `subprocess`: no supplementary groups, and a folder that all may enter."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": [], "cwd": "/"}

    def can_enter(self, folder: Path) -> bool:
        return self._succeeds(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)])

    def can_run(self, program: Path) -> bool:
        return self._succeeds([str(program), "--version"])

    def give(self, path: Path) -> None:
        """Change the owner of a file or folder that this process has just made."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def _succeeds(self, argv: list[str]) -> bool:
        # Tested by trying: ACLs and security modules decide, not modes alone.
        try:
            tried = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                **self.popen_options,
            )
        except OSError:
            return False
        return tried.returncode == 0


def server_account(folder: Path) -> Account:
    """Return the account for a database in `folder`: ourselves; if we are root, its owner, or
    an unprivileged account of the system while the folder doesn't exist."""
    if os.geteuid() != 0:
        return Account(name=str(os.geteuid()), uid=os.geteuid(), gid=os.getegid())
    if folder.exists() and folder.stat().st_uid != 0:
        owner = folder.stat()
        return Account(name=str(owner.st_uid), uid=owner.st_uid, gid=owner.st_gid)
    for name in ("nobody", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise CannotStart("PostgreSQL refuses root and there is no user nobody: start as a user.")
