"""The packets of a film, as ffmpeg's `framecrc` lists them: how long it is, and what it lacks."""

import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Packets:
    """What the list of packets tells of a film."""

    ends: dict[str, float] = field(default_factory=dict)
    """When the pictures ("video"), the first sound ("audio"), and all else ("other") are over, in
    seconds.
    """
    size: int = 0
    """Bytes of all packets."""
    longest_gap: float = 0.0
    """The most seconds between two pictures."""

    @property
    def has_pictures(self) -> bool:
        return "video" in self.ends


def read(file: Path) -> Packets:
    """Read the list: stream, times of decoding and showing, length, size, checksum."""
    packets = Packets()
    kinds: dict[str, str] = {}
    second: dict[str, float] = {}
    last_picture: float | None = None
    with file.open() as lines:
        for line in lines:
            if found := re.match(r"#tb (\d+): (\d+)/(\d+)", line):
                second[found[1]] = int(found[2]) / int(found[3])
            elif found := re.match(r"#media_type (\d+): (\w+)", line):
                kind = found[2]
                kinds[found[1]] = "other" if kind in kinds.values() else kind
            elif not line.startswith("#"):
                stream, *numbers = line.split(",", 5)[:5]
                decoded, showed, length, size = map(int, numbers)
                kind, unit = kinds[stream], second[stream]
                end = (max(decoded, showed) + length) * unit
                packets.ends[kind] = max(packets.ends.get(kind, 0.0), end)
                packets.size += size
                if kind == "video":
                    if last_picture is not None:
                        gap = decoded * unit - last_picture
                        packets.longest_gap = max(packets.longest_gap, gap)
                    last_picture = decoded * unit
    return packets
