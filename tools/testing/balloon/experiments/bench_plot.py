# SPDX-License-Identifier: GPL-2.0
"""
A line plot as inline SVG: both axes logarithmic, a point per size of balloon, limits dashed.
"""
from html import escape
from math import ceil, floor, log2, log10

from .compare import number

WIDTH, HEIGHT = 460, 260
LEFT, RIGHT, TOP, BOTTOM = 72, 130, 10, 34
# The same colour for a variant in all plots; second way to tell them: the name at the line's end.
COLOURS = {"stock": "var(--stock)", "ours": "var(--ours)", "ours, single pages": "var(--used)", "ours, reporting": "var(--whole)"}
LABEL_HEIGHT = 14


def plot(title, series, limits):
    """A figure; @series has (MiB, value) by variant, @limits a value by name. Nothing measured, nothing drawn."""
    series = {name: points for name, points in series.items() if points}
    if not series:
        return ""
    values = [value for points in series.values() for _, value in points] + list(limits.values())
    axes = Axes(sorted({mib for points in series.values() for mib, _ in points}), values)
    ends = [(axes.y(points[-1][1]), name) for name, points in series.items()]
    ends += [(axes.y(value), name) for name, value in limits.items()]
    drawn = [*axes.grid(), *(curve(axes, name, points) for name, points in series.items()),
             *(dashed(axes, value) for value in limits.values()), *labels(ends)]
    return (f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role=img aria-label="{escape(title)}">{"".join(drawn)}</svg>'
            f"<figcaption>{escape(title)}</figcaption></figure>")


class Axes:
    """From sizes and values to places."""

    def __init__(self, sizes, values):
        self.sizes = sizes
        self.low, self.high = floor(log10(min(values))), max(ceil(log10(max(values))), floor(log10(min(values))) + 1)

    def x(self, mib):
        span = log2(self.sizes[-1] / self.sizes[0]) or 1
        return LEFT + log2(mib / self.sizes[0]) / span * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return TOP + (self.high - log10(value)) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def grid(self):
        for exponent in range(self.low, self.high + 1):
            y = self.y(10.0 ** exponent)
            yield f'<line x1={LEFT} x2={WIDTH - RIGHT} y1="{y:.4g}" y2="{y:.4g}" stroke="var(--line)"/>'
            yield f'<text x={LEFT - 6} y="{y + 4:.4g}" text-anchor=end>{number(10.0 ** exponent)}</text>'
        for mib in self.sizes:
            yield f'<text x="{self.x(mib):.4g}" y={HEIGHT - BOTTOM + 18} text-anchor=middle>{size(mib)}</text>'


def size(mib):
    return f"{mib}M" if mib < 1024 else f"{mib // 1024}G"


def curve(axes, name, points):
    places = " ".join(f"{axes.x(mib):.4g},{axes.y(value):.4g}" for mib, value in points)
    dots = "".join(f'<circle cx="{axes.x(mib):.4g}" cy="{axes.y(value):.4g}" r=3 fill="{COLOURS[name]}">'
                   f"<title>{escape(name)}, {size(mib)}: {number(value)}</title></circle>" for mib, value in points)
    return f'<polyline points="{places}" fill=none stroke="{COLOURS[name]}" stroke-width=2 />{dots}'


def dashed(axes, value):
    return f'<line class=aim x1={LEFT} x2={WIDTH - RIGHT} y1="{axes.y(value):.4g}" y2="{axes.y(value):.4g}"/>'


def labels(ends, x=WIDTH - RIGHT + 8):
    """Names to the right of where the lines end, moved down where they would cover each other."""
    below = 0
    for y, name in sorted(ends):
        below = max(y + 4, below + LABEL_HEIGHT)
        yield f'<text x={x} y="{below:.4g}">{escape(name)}</text>'
