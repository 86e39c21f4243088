"""The soak's one page: what was measured, what was done to the shop, how soon it was well."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from tests.soak.record import Record
from tests.soak.verdict import Books, Verdict

GREEN, RED, GREY = "#0f766e", "#b91c1c", "#b8b2a7"
BIN = 5.0  # seconds


def write(
    folder: Path, *, minutes: float, seed: int, record: Record, books: Books, verdict: Verdict
) -> Path:
    """Write report.md and soak.svg into the folder; return the former's path."""
    folder.mkdir(parents=True, exist_ok=True)
    _plot(folder / "soak.svg", record, verdict)
    path = folder / "report.md"
    path.write_text(
        "\n".join(
            [
                f"# Soak of {minutes:g} minutes, {datetime.now(UTC):%Y-%m-%d}",
                "",
                "**" + ("Everything was kept." if not verdict.broken else "Not kept:") + "**",
                *[f"- {sentence}" for sentence in verdict.broken],
                "",
                "| | |",
                "|---|---:|",
                *[f"| {name} | {value} |" for name, value in verdict.figures.items()],
                "",
                "![Answers, open jobs and recovery](soak.svg)",
                "",
                "Recovery: from a fault's end until everything ordered up to then was answered,"
                " sent and drawn.",
                "",
                "| Second | Fault | Lasted (s) | Recovered after (s) |",
                "|---:|---|---:|---:|",
                *[
                    f"| {fault.began - _begin(record):.0f} | {fault.name}"
                    f" | {fault.ended - fault.began:.1f} | {seconds:.1f} |"
                    for fault, seconds in verdict.recoveries
                ],
                "",
                f"The desk's steps: {_listed(dict(record.steps.most_common()))}.",
                f"Page views by status (0: no answer): {_listed(record.pages)}.",
                f"Seed {seed}: `bin/soak {minutes:g} --seed {seed}` repeats the faults' order.",
                "",
                "```",
                books.audit.strip(),
                "```",
                "",
            ]
        )
    )
    return path


def _plot(path: Path, record: Record, verdict: Verdict) -> None:
    begin = _begin(record)
    figure, (answers, jobs, recovery) = plt.subplots(
        3, 1, figsize=(10, 7.5), sharex=True, height_ratios=[2, 1.5, 1.5]
    )
    placed = [when - begin for when, status in record.answers if status in (200, 201, 409)]
    refused = [when - begin for when, status in record.answers if status not in (200, 201, 409)]
    end = max((when for when, _status in record.answers), default=begin) - begin
    bins = [number * BIN for number in range(int(end / BIN) + 2)]
    answers.hist(
        [placed, refused],
        bins,
        stacked=True,
        color=[GREEN, RED],
        label=["clear answer", "503 or none: sent again"],
    )
    answers.set_ylabel(f"POSTs per {BIN:g} s")
    answers.legend(frameon=False, fontsize=8)
    jobs.plot(
        *zip(*[(when - begin, count) for when, count in record.backlog], strict=True),
        color=GREEN,
        linewidth=1,
    )
    jobs.set_ylabel("open jobs")
    recovery.bar(
        [fault.ended - begin for fault, _seconds in verdict.recoveries],
        [seconds for _fault, seconds in verdict.recoveries],
        width=4,
        color=GREEN,
    )
    recovery.set_ylabel("recovery (s)")
    recovery.set_xlabel("seconds")
    for axis in (answers, jobs, recovery):
        axis.spines[["top", "right"]].set_visible(False)
        for fault in record.disturbances:
            axis.axvspan(
                fault.began - begin,
                max(fault.ended, fault.began + 1) - begin,
                color=GREY,
                alpha=0.35,
                linewidth=0,
            )
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def _begin(record: Record) -> float:
    return record.purchases[0].begun


def _listed(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
