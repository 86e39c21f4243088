"""Small charts as SVG in the page: no script, no other request, and colours by the desk's CSS.

`currentColor` and classes make them follow light and dark. Each has its words: a label for those
who can't see it, and a title for each bar under the pointer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Value = float | int | None
"""None: nothing is known for that time. It leaves a gap."""

SPARK_WIDTH, SPARK_HEIGHT = 96, 24
BARS_WIDTH, BARS_HEIGHT = 720, 120
_EDGE = 2


def sparkline(values: Sequence[Value], *, label: str) -> SafeString:
    """Return a line of the values, from zero to the highest, without axes."""
    known = [float(value) for value in values if value is not None]
    most = max(known, default=0) or 1
    step = SPARK_WIDTH / max(len(values) - 1, 1)
    drop = SPARK_HEIGHT - 2 * _EDGE
    lines: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            lines.append([])
        else:
            lines[-1].append(f"{place * step:.1f},{_EDGE + drop * (1 - float(value) / most):.1f}")
    return format_html(
        '<svg class="desk-spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg>',
        SPARK_WIDTH,
        SPARK_HEIGHT,
        label,
        format_html_join(
            "", '<polyline points="{}"></polyline>', ([" ".join(line)] for line in lines if line)
        ),
    )


@dataclass(frozen=True)
class Bar:
    """One bar: its height by `value`, the part of it that went wrong, and its words."""

    value: Value
    words: str
    """What is shown under the pointer."""
    failed: Value = 0


def bars(values: Sequence[Bar], *, label: str) -> SafeString:
    """Return the bars side by side; the highest fills the height."""
    most = max((float(bar.value or 0) + float(bar.failed or 0) for bar in values), default=0) or 1
    step = BARS_WIDTH / max(len(values), 1)
    gap = min(step * 0.2, 4)
    drawn = []
    for place, bar in enumerate(values):
        good = float(bar.value or 0) / most * BARS_HEIGHT
        bad = float(bar.failed or 0) / most * BARS_HEIGHT
        drawn.append(
            format_html(
                "<g><title>{}</title>"
                '<rect class="is-ground" x="{}" y="0" width="{}" height="{}"></rect>'
                '<rect x="{}" y="{}" width="{}" height="{}"></rect>{}</g>',
                bar.words,
                *(f"{place * step:.1f}", f"{step:.1f}", BARS_HEIGHT),
                *(f"{place * step + gap / 2:.1f}", f"{BARS_HEIGHT - good:.1f}"),
                *(f"{step - gap:.1f}", f"{good:.1f}"),
                format_html(
                    '<rect class="is-failed" x="{}" y="{}" width="{}" height="{}"></rect>',
                    *(f"{place * step + gap / 2:.1f}", f"{BARS_HEIGHT - good - bad:.1f}"),
                    *(f"{step - gap:.1f}", f"{max(bad, 2):.1f}"),
                )
                if bad
                else "",
            )
        )
    return format_html(
        '<svg class="desk-bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg>',
        BARS_WIDTH,
        BARS_HEIGHT,
        label,
        format_html_join("", "{}", ([each] for each in drawn)),
    )


def outcomes(states: Sequence[tuple[str, str]], *, label: str) -> SafeString:
    """Return one small bar for each run, the oldest first.

    A state is `done`, `failed` or `running`, with its words.
    """
    return format_html(
        '<svg class="desk-outcome-bars" viewBox="0 0 {} 12" role="img" aria-label="{}">{}</svg>',
        max(len(states), 1) * 5,
        label,
        format_html_join(
            "",
            '<rect class="is-{}" x="{}" y="0" width="4" height="12"><title>{}</title></rect>',
            ((state, place * 5, words) for place, (state, words) in enumerate(states)),
        ),
    )
