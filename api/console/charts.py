"""Small charts as SVG: bars that a style sheet colours, with their figures in words for those who do not see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Bar:
    """One bar: what stands under it, how high it is, and how much of that belongs to others (drawn in grey)."""

    label: str
    value: int
    other: int = 0

    @property
    def words(self) -> str:
        """For a tooltip."""
        return f"{self.label}: {self.value}" + (f" (and {self.other} of others)" if self.other else "")


def spark(bars: Sequence[Bar], title: str) -> Markup:
    """A line of bars without axes, for a table's cell. `title` says the figures in words."""
    return _draw(bars, title, width=150, height=34)


def chart(bars: Sequence[Bar], title: str, *, width: int = 1100, height: int = 190) -> Markup:
    """Bars with labels under them and the greatest value above."""
    drawn = _draw(bars, title, width=width, height=height, labels=True)
    # On a narrow screen it is moved sideways rather than made too small to read; by keyboard, too.
    return Markup('<div class="chart-wide" tabindex="0" role="group" aria-label="{}">{}</div>').format(title, drawn)


def _draw(bars: Sequence[Bar], title: str, *, width: int, height: int, labels: bool = False) -> Markup:
    top, bottom = (16, 18) if labels else (1, 1)
    room = height - top - bottom
    most = max((bar.value + bar.other for bar in bars), default=0)
    slot = width / max(len(bars), 1)
    parts = [Markup("<title>{}</title>").format(title)]
    every = max(1, -(-len(bars) // max(1, width // 80)))
    for at, bar in enumerate(bars):
        x, wide = at * slot + slot * 0.12, slot * 0.76
        own, other = (room * part / most if most else 0 for part in (bar.value, bar.other))
        if bar.other:
            parts.append(_rect(x, height - bottom - own - other, wide, other, "bar other", bar.words))
        if bar.value:
            parts.append(_rect(x, height - bottom - own, wide, max(own, 1.5), "bar", bar.words))
        if labels and at % every == 0:
            parts.append(
                Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                    at * slot + slot / 2, height - 5, bar.label
                )
            )
        if labels and most and bar.value + bar.other == most:
            parts.append(
                Markup('<text x="{:.1f}" y="12" text-anchor="middle">{}</text>').format(at * slot + slot / 2, most)
            )
    base = Markup('<line class="base" x1="0" x2="{}" y1="{}" y2="{}"/>').format(width, height - bottom, height - bottom)
    return Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        "chart" if labels else "chart spark", width, height, title, Markup("").join(parts), base
    )


def _rect(x: float, y: float, width: float, height: float, kind: str, words: str) -> Markup:
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1"><title>{}</title></rect>'
    ).format(kind, x, y, width, height, words)
