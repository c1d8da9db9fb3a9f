"""Charts as numbers for a template to draw: where bars, whiskers and points go in an SVG.

No script and no styles: pages keep to the content policy, and every chart stands beside a table
that says the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

ROW = 34  # pixels of a bar's row
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A mean and its interval, in the units of the picture."""

    label: str
    series: int  # which colour
    y: float
    middle: float
    width: float
    low: float
    high: float
    end: float  # where the figure is written
    text: str
    title: str


@dataclass(frozen=True)
class Bars:
    width: int
    height: int
    left: int
    right: float
    bottom: float
    ticks: list[Tick]
    bars: list[Bar]


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Line:
    label: str
    series: int
    path: str
    points: list[Point]


@dataclass(frozen=True)
class Lines:
    width: int
    height: int
    left: int
    right: float
    bottom: float
    top: float
    ticks: list[Tick]
    marks: list[Tick]
    lines: list[Line]


def bars_draw(rows: Sequence[tuple[str, int, Sequence[float]]], *, width: int = 460) -> Bars:
    """Bars from 0 to 1 for (label, series, [mean, low, high])."""
    left, room = 118, width - 118 - 54
    across = [left + round(room * tick, 1) for tick in TICKS]
    bars = []
    for place, (label, series, (mean, low, high)) in enumerate(rows):
        y = place * ROW + 7.0
        bars.append(
            Bar(
                label=label,
                series=series,
                y=y,
                middle=y + 10,
                width=round(room * mean, 1),
                low=round(left + room * low, 1),
                high=round(left + room * high, 1),
                end=round(left + room * max(mean, high) + 6, 1),
                text=f"{mean:.3f}",
                title=f"{label}: {mean:.3f} [{low:.3f}, {high:.3f}]",
            )
        )
    bottom = len(bars) * ROW
    ticks = [Tick(at, f"{tick:g}") for at, tick in zip(across, TICKS, strict=True)]
    return Bars(width, bottom + 22, left, across[-1], bottom, ticks, bars)


def _path(
    across: Sequence[float], values: Sequence[float | None], up: Callable[[float], float]
) -> str:
    """The line through the values, broken where there is none."""
    steps, drawn = [], False
    for x, value in zip(across, values, strict=True):
        if value is not None:
            steps.append(f"{'L' if drawn else 'M'}{x} {up(value)}")
        drawn = value is not None
    return " ".join(steps)


def lines_draw(
    marks: Sequence[str],
    series: Mapping[str, tuple[int, Sequence[float | None]]],
    *,
    width: int = 640,
    height: int = 210,
    percent: bool = False,
) -> Lines:
    """A line from 0 to 1 for each {label: (series, value at each mark)}; None is a gap.

    With `percent` the figures beside it are shares, as the page around it writes them.
    """
    left, right, top, bottom = 40, width - 14, 12, height - 26
    step = (right - left) / max(1, len(marks) - 1)
    across = [round(left + step * place, 1) for place in range(len(marks))]
    if len(marks) == 1:
        across = [round((left + right) / 2, 1)]

    told, ticked = (".0%", ".0%") if percent else (".3f", "g")

    def up(value: float) -> float:
        return round(bottom - (bottom - top) * value, 1)

    lines = []
    for label, (colour, values) in series.items():
        points = [
            Point(x, up(value), f"{label}, {mark}: {value:{told}}")
            for x, mark, value in zip(across, marks, values, strict=True)
            if value is not None
        ]
        lines.append(Line(label, colour, _path(across, values, up), points))
    every = max(1, -(-len(marks) // 8))
    shown = [
        Tick(x, mark)
        for n, (x, mark) in enumerate(zip(across, marks, strict=True))
        if n % every == 0
    ]
    ticks = [Tick(up(tick), f"{tick:{ticked}}") for tick in TICKS]
    return Lines(width, height, left, right, bottom, top, ticks, shown, lines)
