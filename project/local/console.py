"""The terminal's output of `bin/up`: each process's lines, prefixed and coloured."""

import os
import select
import sys
from collections.abc import Mapping

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)  # ANSI: cyan, green, yellow, magenta, blue …
WIDTH = 8
PIECE = 4096  # bytes: a pipe that is ready takes as many at once (PIPE_BUF)


class Console:
    """Writes lines to a file descriptor, and drops lines instead of waiting for a reader.

    A pipe without a reader, or a suspended terminal, must not stop the shop.
    """

    def __init__(self, descriptor: int, *, environment: Mapping[str, str] = os.environ) -> None:
        self._descriptor = descriptor
        self._coloured = os.isatty(descriptor) and not environment.get("NO_COLOR")
        self._colours: dict[str, int] = {}
        self._lost = 0

    def line(self, name: str, text: str) -> None:
        if self._lost and self._write(f"{'':{WIDTH}} | ({self._lost} lines were not shown)\n"):
            self._lost = 0
        if self._lost or not self._write(f"{self._prefix(name)} {text}\n"):
            self._lost += 1

    def _prefix(self, name: str) -> str:
        plain = f"{name:{WIDTH}} |"
        if not self._coloured:
            return plain
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{plain}\x1b[0m"

    def _write(self, text: str) -> bool:
        data = text.encode(errors="replace")
        try:
            for start in range(0, len(data), PIECE):
                _, writable, _ = select.select([], [self._descriptor], [], 0)
                if not writable:
                    return False
                os.write(self._descriptor, data[start : start + PIECE])
        except OSError:  # its reader is gone
            return False
        return True


def standard_console() -> Console:
    return Console(sys.stdout.fileno())
