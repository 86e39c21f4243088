"""Draw the plots of docs/benchmarks.md from the recorded runs beside this file.

manage.py bench placement --soak 10 --json > docs/benchmarks/placement.json
manage.py bench media --json > docs/benchmarks/media.json
manage.py bench pools --json > docs/benchmarks/pools.json
manage.py bench quotes --json > docs/benchmarks/quotes.json
manage.py bench growth --json > docs/benchmarks/growth.json
manage.py bench search --json > docs/benchmarks/search.json
manage.py bench http --against WORKTREE --json > docs/benchmarks/http.json
manage.py bench jobs --json > docs/benchmarks/jobs.json
manage.py bench orders --against WORKTREE --json > docs/benchmarks/orders.json
manage.py bench memory --against WORKTREE --json > docs/benchmarks/memory.json
manage.py bench partitions --json > docs/benchmarks/partitions.json
manage.py bench processes --json > docs/benchmarks/processes.json
manage.py bench plan --json > docs/benchmarks/plan.json
python docs/benchmarks/plot.py
"""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

HERE = Path(__file__).parent
SHOWN_SLOWEST = 25
COLOURS = {
    "textbook": "#b8b2a7",
    "pillow": "#b8b2a7",
    "pillow, drafted": "#8a8378",
    "tandem": "#0f766e",
}
PLACEMENT_COLOURS = ("#b8b2a7", "#8a8378", "#d6a26a", "#0f766e")


def plot_placement() -> None:
    """Orders per second and 99th percentile of each basket, with 32 clients; what limits them."""
    rows = json.loads((HERE / "placement.json").read_text())["rows"]
    alone = [row for row in rows if row["part"] == "one process" and row["clients"] == 32]
    baskets = {"spread": "one of 1,000", "hot": "one hot product"} | {
        "spread baskets": "five of 1,000",
        "hot baskets": "five hot products",
    }
    variants = ("textbook", "select_for_update", "two fresh threads", "tandem")
    figure, axes = plt.subplots(1, 3, figsize=(14, 4), width_ratios=(5, 5, 3))
    for axis, column, title in (
        (axes[0], "per_second", "Orders per second, 32 clients (more is better)"),
        (axes[1], "p99_ms", "99th percentile in ms, logarithmic (less is better)"),
    ):
        for place, variant in enumerate(variants):
            found = {row["basket"]: row[column] for row in alone if row["variant"] == variant}
            bars = axis.bar(
                [index + 0.21 * (place - 1.5) for index in range(len(baskets))],
                [found[basket] for basket in baskets],
                width=0.2,
                label=variant,
                color=PLACEMENT_COLOURS[place],
            )
            axis.bar_label(bars, fmt="%.0f", fontsize=6, padding=2)
        axis.set_title(title, fontsize=10)
        axis.set_xticks(range(len(baskets)), baskets.values(), fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[1].set_yscale("log")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=4, frameon=False)
    _plot_two_processes(axes[2], [row for row in rows if row["part"] == "two processes"])
    figure.tight_layout(rect=(0, 0.07, 1, 1))  # room for the legend
    figure.savefig(HERE / "placement.svg")


def _plot_two_processes(axis: Any, rows: list[dict[str, Any]]) -> None:
    """Two processes of Tandem, and pgbench with each number of clients, on one hot product."""
    bars = axis.bar(
        [f"{row['variant']}\n{row['clients']} clients" for row in rows],
        [row["per_second"] for row in rows],
        width=0.6,
        color=[COLOURS["tandem" if row["variant"] == "tandem" else "textbook"] for row in rows],
    )
    axis.bar_label(bars, fmt="%.0f", fontsize=8, padding=2)
    axis.set_title("Orders per second, one hot product", fontsize=10)
    axis.tick_params(axis="x", labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)


def plot_media() -> None:
    """CPU seconds and memory for one photo: a format alone and the whole recipe, side by side."""
    rows = json.loads((HERE / "media.json").read_text())["rows"]
    works = ("jpeg", "webp", "avif", "recipe")
    figure, axes = plt.subplots(1, 2, figsize=(11, 4))
    for axis, column, title, places in (
        (axes[0], "cpu", "CPU seconds for a photo of 12 megapixels (less is better)", 2),
        (axes[1], "peak_mb", "Most memory held, in MB (less is better)", 0),
    ):
        for offset, variant in ((-0.27, "pillow"), (0.0, "pillow, drafted"), (0.27, "tandem")):
            found = {
                place: row[column]
                for place, work in enumerate(works)
                for row in rows
                if (row["work"], row["variant"]) == (f"photo, {work}", variant)
            }
            bars = axis.bar(
                [place + offset for place in found],
                list(found.values()),
                width=0.25,
                label=variant,
                color=COLOURS[variant],
            )
            axis.bar_label(bars, fmt=f"%.{places}f", fontsize=8, padding=2)
        axis.set_title(title, fontsize=10)
        axis.set_xticks(
            range(len(works)), [*(f"{work.upper()} alone" for work in works[:3]), "all 15 files"]
        )
        axis.tick_params(axis="x", labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(HERE / "media.svg")


def plot_pools() -> None:
    """Messages per second and memory of each pool; what bin/up starts is coloured."""
    rows = [
        row
        for row in json.loads((HERE / "pools.json").read_text())["rows"]
        if row["pool"] != "bare smtplib"
    ]
    labels = [f"{row['pool']}\n{row['connections']} at a time" for row in rows]
    colours = [COLOURS["tandem" if row["pool"] == "threads" else "textbook"] for row in rows]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4))
    for axis, column, title, places in (
        (axes[0], "per_second", "Messages per second, server takes 50 ms (more is better)", 1),
        (axes[1], "pss_mb", "Most memory held (PSS), in MB (less is better)", 0),
    ):
        bars = axis.bar(labels, [row[column] for row in rows], width=0.6, color=colours)
        axis.bar_label(bars, fmt=f"%.{places}f", fontsize=8, padding=2)
        axis.set_title(title, fontsize=10)
        axis.tick_params(axis="x", labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(HERE / "pools.svg")


def plot_quotes() -> None:
    """Milliseconds until all carriers have answered, each way side by side."""
    rows = json.loads((HERE / "quotes.json").read_text())["rows"]
    counts = sorted({row["carriers"] for row in rows})
    figure, axis = plt.subplots(figsize=(8, 4))
    for offset, way, colour in (
        (-0.27, "one by one", COLOURS["textbook"]),
        (0.0, "asyncio", COLOURS["pillow, drafted"]),
        (0.27, "threads", COLOURS["tandem"]),
    ):
        values = [
            next(row["ms"] for row in rows if (row["carriers"], row["way"]) == (count, way))
            for count in counts
        ]
        places = [place + offset for place in range(len(counts))]
        bars = axis.bar(places, values, width=0.25, label=way, color=colour)
        axis.bar_label(bars, fmt="%.0f", fontsize=8, padding=2)
    axis.set_title("Milliseconds, each carrier takes 100 (less is better)", fontsize=10)
    labels = [f"{count} carrier{'s' if count > 1 else ''}" for count in counts]
    axis.set_xticks(range(len(counts)), labels, fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(HERE / "quotes.svg")


def plot_growth() -> None:
    """The slowest pages and steps with a target: PostgreSQL's CPU in each shop, and the target."""
    report = json.loads((HERE / "growth.json").read_text())
    sizes = sorted({row["size"] for row in report["rows"]})
    found = {(row["what"], row["size"]): row["sql_ms"] for row in report["rows"]}
    most = {
        what: each["sql_ms"]
        for what, each in report["targets"].items()
        if "sql_ms" in each and all((what, size) in found for size in sizes)
    }
    slowest = sorted(most, key=lambda what: found[what, sizes[-1]] / most[what])[-SHOWN_SLOWEST:]
    figure, axis = plt.subplots(figsize=(11, 8))
    height = 0.8 / len(sizes)
    for place, size in enumerate(sizes):
        axis.barh(
            [index + place * height for index in range(len(slowest))],
            [100 * found[what, size] / most[what] for what in slowest],
            height=height,
            label=f"{size:,} orders",
            color=list(COLOURS.values())[place - len(sizes)],
        )
    for index, what in enumerate(slowest):  # one label for its bars: theirs would overlap
        axis.annotate(
            " → ".join(_milliseconds(found[what, size]) for size in sizes) + " ms",
            (max(found[what, size] for size in sizes) * 100 / most[what], index + 0.4 - height / 2),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    axis.axvline(100, color="#b91c1c", linewidth=1)
    axis.margins(x=0.15)  # room for the longest bar's label
    ticks = [index + 0.4 - height / 2 for index in range(len(slowest))]
    axis.set_yticks(ticks, slowest, fontsize=8)
    axis.set_title("PostgreSQL's CPU in per cent of the target (less is better)", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, loc="lower right")
    figure.tight_layout()
    figure.savefig(HERE / "growth.svg")


def _milliseconds(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def plot_search() -> None:
    """The 95th percentile of each kind of search, ILIKE and ours side by side."""
    rows = [
        row
        for row in json.loads((HERE / "search.json").read_text())["rows"]
        if "p95_ilike_ms" in row
    ]
    figure, axis = plt.subplots(figsize=(11, 4))
    for offset, column, variant, colour in (
        (-0.2, "p95_ilike_ms", "ILIKE", COLOURS["textbook"]),
        (0.2, "p95_ms", "tandem", COLOURS["tandem"]),
    ):
        bars = axis.bar(
            [place + offset for place in range(len(rows))],
            [row[column] for row in rows],
            width=0.38,
            label=variant,
            color=colour,
        )
        axis.bar_label(bars, fmt="%.0f", fontsize=8, padding=2)
    axis.set_xticks(range(len(rows)), [row["what"].removeprefix("search: ") for row in rows])
    axis.set_title("95th percentile in ms, 100,000 products (less is better)", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(HERE / "search.svg")


def plot_http() -> None:
    """Requests per second of each kind, both builds side by side, logarithmic."""
    rows = json.loads((HERE / "http.json").read_text())["rows"]
    kinds = [row["what"] for row in rows if row["build"] == "ours" and "most" in row]
    figure, axis = plt.subplots(figsize=(11, 4))
    for offset, build, colour in (
        (-0.2, "other", COLOURS["textbook"]),
        (0.2, "ours", COLOURS["tandem"]),
    ):
        found = {row["what"]: row for row in rows if row["build"] == build}
        values = [found.get(kind, {}).get("per_second", 0) for kind in kinds]
        label = {"other": "the build before", "ours": "tandem"}[build]
        places = [place + offset for place in range(len(kinds))]
        bars = axis.bar(places, values, width=0.38, label=label, color=colour)
        axis.bar_label(bars, ["" if not value else f"{value:.0f}" for value in values], fontsize=8)
    axis.set_yscale("log")
    axis.set_xticks(range(len(kinds)), kinds, fontsize=8)
    axis.set_title("Requests per second, 64 connections, logarithmic (more is better)", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(HERE / "http.svg")


def plot_jobs() -> None:
    """Jobs of no work per second, by what does them."""
    rows = [
        row for row in json.loads((HERE / "jobs.json").read_text())["rows"] if "per_second" in row
    ]
    _plot_bars(
        "jobs",
        "Jobs of no work per second (more is better)",
        {row["what"]: row["per_second"] for row in rows},
    )


def plot_orders() -> None:
    """Orders per second with all their jobs, by build."""
    rows = json.loads((HERE / "orders.json").read_text())["rows"]
    names = {"ours": "tandem", "other": "the build before"}
    _plot_bars(
        "orders",
        "Orders per second, to the end of their jobs (more is better)",
        {names[row["build"]]: row["per_second"] for row in rows},
    )


def plot_memory() -> None:
    """What each process of a fresh shop holds."""
    rows = json.loads((HERE / "memory.json").read_text())["rows"]
    _plot_bars(
        "memory",
        "Megabytes that a fresh shop's processes hold (PSS)",
        {row["process"]: row["fresh_mb"] for row in rows if row["process"] != "all"},
    )


def plot_plan() -> None:
    """The simulation beside the real run, and what it says of more nodes."""
    rows = json.loads((HERE / "plan.json").read_text())["rows"]
    figure, (checked, larger) = plt.subplots(1, 2, figsize=(12, 4))
    for offset, part in ((-0.2, "measured"), (0.2, "simulated")):
        found = [row for row in rows if row["part"] == part]
        bars = checked.bar(
            [place + offset for place in range(len(found))],
            [row["per_second"] for row in found],
            width=0.38,
            label=part,
            color=COLOURS["textbook" if part == "measured" else "tandem"],
        )
        checked.bar_label(bars, fmt="%.0f", fontsize=8, padding=2)
        names = [f"{row['nodes']} node(s)\n{row['share']:.0%} on both" for row in found]
        checked.set_xticks(range(len(found)), names, fontsize=8)
    checked.set_title("Orders per second on this machine, 32 clients", fontsize=10)
    checked.legend(frameon=False, fontsize=8, loc="upper right")
    for writers, style in (("in each web process", "--"), ("at the node", "-")):
        for share, colour in ((0.0, "#0f766e"), (0.1, "#d6a26a"), (0.5, "#8a8378")):
            found = [
                row
                for row in rows
                if row["part"] == "capacity"
                and row["writers"] == writers
                and (row["share"] == share or row["nodes"] == 1)
            ]
            larger.plot(
                [row["nodes"] for row in found],
                [row["per_second"] for row in found],
                style,
                marker="o",
                color=colour,
                label=f"writers {writers}, {share:.0%} on two",
            )
    larger.set_title("Orders per second at most, by nodes of two cores (simulated)", fontsize=10)
    larger.set_xlabel("nodes", fontsize=8)
    larger.legend(frameon=False, fontsize=7)
    for axis in (checked, larger):
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(HERE / "plan.svg")
    plt.close(figure)


def _plot_bars(name: str, title: str, values: dict[str, float]) -> None:
    figure, axis = plt.subplots(figsize=(8, 0.6 + 0.4 * len(values)))
    bars = axis.barh(list(values), list(values.values()), height=0.6, color=COLOURS["tandem"])
    axis.bar_label(bars, fmt="%.4g", fontsize=8, padding=2)
    axis.invert_yaxis()
    axis.set_title(title, fontsize=10)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(HERE / f"{name}.svg")
    plt.close(figure)


if __name__ == "__main__":
    plot_placement()
    plot_media()
    plot_pools()
    plot_quotes()
    plot_growth()
    plot_search()
    plot_http()
    plot_jobs()
    plot_orders()
    plot_memory()
    plot_plan()
