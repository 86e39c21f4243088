"""A cable that takes its time: `python delay.py SECONDS`, in the switches' network.

It makes two network interfaces, `slow-front` and `slow-back`, and hands each frame of the one to
the other: at once towards the front, so much later towards the back. So `tc netem` delays, too,
which this needs no module of the kernel for. It tells "ready" when both are there.
"""

import fcntl
import os
import select
import struct
import sys
import time
from collections import deque

SET_INTERFACE = 0x400454CA
ETHERNET, PLAIN = 0x0002, 0x1000
MOST = 65_536


def interface(name: str) -> int:
    """Make an interface; return the descriptor of its other end."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, SET_INTERFACE, struct.pack("16sH22x", name.encode(), ETHERNET | PLAIN))
    return end


def frames(end: int) -> list[bytes]:
    """Return the frames that have come."""
    found = []
    try:
        while True:
            found.append(os.read(end, MOST))
    except BlockingIOError:
        return found


def pass_on(seconds: float) -> None:
    """Hand on frames until the process is killed."""
    front, back = interface("slow-front"), interface("slow-back")
    print("ready", flush=True)
    late: deque[tuple[float, bytes]] = deque()
    while True:
        wait = max(0.0, late[0][0] - time.monotonic()) if late else None
        ready, _, _ = select.select([front, back], [], [], wait)
        if back in ready:
            for frame in frames(back):
                os.write(front, frame)
        if front in ready:
            moment = time.monotonic() + seconds
            late.extend((moment, frame) for frame in frames(front))
        while late and late[0][0] <= time.monotonic():
            os.write(back, late.popleft()[1])


if __name__ == "__main__":
    pass_on(float(sys.argv[1]))
