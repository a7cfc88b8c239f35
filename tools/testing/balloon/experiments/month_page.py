# SPDX-License-Identifier: GPL-2.0
"""
A month of the bench as one self-contained HTML page: what was seen at each rest, over time, stock beside ours.
"""
from html import escape
from itertools import accumulate

from . import bench_figures as figures
from .bench_page import comparison
from .bench_plot import COLOURS, labels
from .compare import number
from .report import document, measured

WIDTH, HEIGHT = 920, 190
LEFT, RIGHT, TOP, BOTTOM = 72, 70, 10, 26
TICKS = 4


def page(results):
    cycles = {variant: figures.steps_in(results["boots"], "month", variant, "cycle") for variant in ("stock", "ours")}
    rows = [row for row in results["figures"] if row["title"].startswith("a month: ")]
    return document(f"A month beside a memory balloon, Linux {results['kernel']}", HEAD, measured(results), comparison(rows),
                    "<h2>Over time</h2>", *(plot(title, {variant: values(of) for variant, of in cycles.items() if of})
                                            for title, values in PLOTS))


HEAD = ("<h1>A month in the life of a guest</h1><p>Processes of 12 to 48 MiB come and go, files are made, removed and read, and "
        "the host wants a balloon of another size, up to 350 MiB of the guest's 1 GiB. Then all is at rest for half a minute, and "
        "the guest is looked at. The kernel's own balloon driver (<em>stock</em>) and this project's (<em>ours</em>) have the "
        "same guest with the same processes and files, with their default settings.</p>")


def each(key):
    return lambda cycles: [cycle[key] for cycle in cycles]


PLOTS = (
    ("balloon, MiB", lambda cycles: list(accumulate(cycle["pages"] / 256 for cycle in cycles))),
    ("anonymous memory in huge pages, percent", lambda cycles: [figures.huge_share(cycle) for cycle in cycles]),
    ("free 2 MiB blocks", each("free")),
    ("page faults that got no huge page, since the boot", each("fallback")),
    ("stalls of page faults for compaction, since the boot", each("stall")),
    ("millions of instructions of the kernel's workers, since the boot",
     lambda cycles: list(accumulate(cycle["kworker"] / 1e6 for cycle in cycles))),
)


def plot(title, series):
    """A line for each variant, a point for each cycle; the scale begins at 0."""
    top = max((value for values in series.values() for value in values), default=0) or 1
    last = max((len(values) for values in series.values()), default=1)

    def x(cycle):
        return LEFT + cycle / max(1, last - 1) * (WIDTH - LEFT - RIGHT)

    def y(value):
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    drawn = [*(f'<line x1={LEFT} x2={WIDTH - RIGHT} y1="{y(value):.4g}" y2="{y(value):.4g}" stroke="var(--line)"/>'
               f'<text x={LEFT - 6} y="{y(value) + 4:.4g}" text-anchor=end>{number(value)}</text>'
               for value in (top * tick / TICKS for tick in range(TICKS + 1))),
             *(f'<text x="{x(cycle):.4g}" y={HEIGHT - 6} text-anchor=middle>{cycle}</text>'
               for cycle in range(0, last, max(1, last // 8)))]
    for name, values in series.items():
        points = " ".join(f"{x(cycle):.5g},{y(value):.4g}" for cycle, value in enumerate(values))
        drawn.append(f'<polyline points="{points}" fill=none stroke="{COLOURS[name]}" stroke-width=1.5 />')
    drawn += labels([(y(values[-1]), name) for name, values in series.items() if values], WIDTH - RIGHT + 8)
    return (f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role=img aria-label="{escape(title)}">{"".join(drawn)}</svg>'
            f"<figcaption>{escape(title)}</figcaption></figure>")
