"""A chart as an SVG text: axes, lines, dots and bars, with coordinates to a tenth of a point."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 44, 52
BLUE, ORANGE, GREEN, GREY, INK = "#2563a8", "#d9730d", "#2f8f5b", "#9aa3ad", "#1f2933"
Pairs = Sequence[tuple[float, float]]


class Chart:
    """Marks in data units between two corners, written by `svg`."""

    def __init__(self, title: str, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.x, self.y = x, y
        self.marks = [_text(LEFT, 24, title, size=15, weight="bold")]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies on the page."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def axis_x(self, ticks: Sequence[float], label: str, style: str = "{:.0%}") -> None:
        """Ticks and a label under the chart."""
        for tick in ticks:
            x, y = self.at(tick, self.y[0])
            self.marks.append(_text(x, y + 18, style.format(tick), anchor="middle"))
        self.marks.append(
            _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, label, anchor="middle", color="#52606d")
        )

    def axis_y(self, ticks: Sequence[float], label: str, style: str = "{:.0%}") -> None:
        """Ticks with lines across, and a label above them."""
        for tick in ticks:
            x, y = self.at(self.x[0], tick)
            self.marks.append(_line(x, y, WIDTH - RIGHT, y, "#e4e7eb", 1))
            self.marks.append(_text(x - 8, y + 4, style.format(tick), anchor="end"))
        self.marks.append(_text(LEFT, TOP - 4, label, color="#52606d"))

    def line(self, points: Pairs, color: str, *, dashed: bool = False) -> None:
        """A line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in points))
        dash = ' stroke-dasharray="6 5"' if dashed else ""
        self.marks.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2.5"{dash}/>'
        )

    def dot(self, x: float, y: float, color: str, label: str = "", *, side: str = "above right") -> None:
        """A dot, with its label on a side of it: above or below, left or right."""
        across, up = self.at(x, y)
        self.marks.append(f'<circle cx="{across:.1f}" cy="{up:.1f}" r="5" fill="{color}"/>')
        if label:
            left = "left" in side
            rise = -9 if "above" in side else 18 if "below" in side else 4
            self.marks.append(
                _text(across - 9 if left else across + 9, up + rise, label, anchor="end" if left else "start")
            )

    def bar(self, x: float, width: float, y: tuple[float, float], color: str) -> None:
        """An upright bar of a width around x."""
        left, top = self.at(x - width / 2, max(y))
        right, bottom = self.at(x + width / 2, min(y))
        size = f'width="{right - left:.1f}" height="{bottom - top:.1f}"'
        self.marks.append(f'<rect x="{left:.1f}" y="{top:.1f}" {size} fill="{color}"/>')

    def label(self, x: float, y: float, text: str, *, color: str = INK, anchor: str = "middle") -> None:
        """A text at a point."""
        self.marks.append(_text(*self.at(x, y), text, anchor=anchor, color=color))

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """Colours and what they mean, in the upper right corner."""
        for row, (color, text) in enumerate(entries):
            y = TOP + 8 + 18 * row
            self.marks.append(f'<rect x="{WIDTH - 200}" y="{y - 9}" width="12" height="12" fill="{color}"/>')
            self.marks.append(_text(WIDTH - 182, y + 2, text))

    def svg(self) -> str:
        """The whole picture."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="Helvetica, Arial, sans-serif" font-size="12">'
        )
        paper = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
        return "\n".join([head, paper, *self.marks, "</svg>", ""])


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    color: str = INK,
    size: int = 12,
    weight: str = "normal",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}" font-size="{size}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def _line(x: float, y: float, to_x: float, to_y: float, color: str, width: int) -> str:
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{color}" '
        f'stroke-width="{width}"/>'
    )
