"""Emails per hour and mailbox as a picture (SVG): a column a day, a row an hour, darker where more leave. Light and dark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

_LEFT, _TOP, _HEAD, _ROW, _SPACE = 56, 52, 26, 13, 34
_WIDTH = 900
_SHADES = 5
_A_YEAR = 350
"""From so many days on the labels name the year instead of the day."""

_STYLE = """
svg { font: 11px system-ui, sans-serif; }
text { fill: #3d4452; } .title { font-size: 15px; font-weight: 600; fill: #1a1f2b; } .name { font-weight: 600; fill: #1a1f2b; }
.page { fill: #ffffff; } .box { fill: #f4f5f8; } .s1 { fill: #cfe3f7; } .s2 { fill: #9cc6ee; } .s3 { fill: #5fa2df; } .s4 { fill: #2b77c0; }
.s5 { fill: #124a84; }
@media (prefers-color-scheme: dark) {
  .page { fill: #14171d; } text { fill: #b6bdca; } .title, .name { fill: #f0f2f6; } .box { fill: #1e232c; }
  .s1 { fill: #173352; } .s2 { fill: #1f5183; } .s3 { fill: #2f78be; } .s4 { fill: #67a8e3; } .s5 { fill: #c4e0f9; }
}
"""

Cell = tuple[str, date, int]


def picture(title: str, emails: Iterable[tuple[str, datetime]], mailboxes: Iterable[str], zone: str) -> str:
    """An SVG document. `emails`: mailbox and instant of each; days and hours are those of `zone`."""
    where = ZoneInfo(zone)
    local = [(mailbox, at.astimezone(where)) for mailbox, at in emails]
    cells: Counter[Cell] = Counter((mailbox, at.date(), at.hour) for mailbox, at in local)
    names = list(mailboxes)
    if not cells:
        return _document(
            title, _LEFT + _WIDTH, _TOP + _SPACE, [_text(12, 24, title, "title"), _text(12, 48, "No email leaves.")]
        )
    days, hours = sorted({day for _, day, _ in cells}), sorted({hour for _, _, hour in cells})
    count = (days[-1] - days[0]).days + 1
    wide = max(2.0, min(24.0, _WIDTH / count))
    most = max(cells.values())
    what = f"Emails per hour, in {zone}, from {days[0]:%d %b %Y} to {days[-1]:%d %b %Y}"
    parts = [_text(12, 24, title, "title"), _text(12, 41, what)]
    width = _LEFT + max(count * wide, 560) + 16
    parts += _legend(width, most)
    y = float(_TOP)
    for name in names:
        total = sum(n for (mailbox, _, _), n in cells.items() if mailbox == name)
        parts.append(_text(12, y + 15, f"{name}: {total} emails", "name"))
        parts += _panel(y + _HEAD, name, cells, days[0], count, hours, wide, most)
        y += _HEAD + _ROW * (hours[-1] - hours[0] + 1) + _SPACE
    return _document(f"{title}. {what}", width, y, parts)


def _panel(
    y: float, name: str, cells: Counter[Cell], first: date, count: int, hours: list[int], wide: float, most: int
) -> list[str]:
    rows = range(hours[0], hours[-1] + 1)
    high = _ROW * len(rows)
    parts = [f'<rect class="box" x="{_LEFT}" y="{y:.1f}" width="{count * wide:.1f}" height="{high}"/>']
    for row, hour in enumerate(rows):
        if len(rows) <= 12 or hour % 3 == 0:
            parts.append(_text(_LEFT - 6, y + row * _ROW + 10, f"{hour:02}:00", anchor="end"))
    for (mailbox, day, hour), emails in sorted(cells.items()):
        if mailbox == name:
            x = _LEFT + (day - first).days * wide
            shade = max(1, -(-emails * _SHADES // most))
            parts.append(
                f'<rect class="s{shade}" x="{x:.1f}" y="{y + (hour - rows[0]) * _ROW + 0.5:.1f}" '
                f'width="{max(wide - 1, 1.5):.1f}" height="{_ROW - 1}">'
                f"<title>{day:%a %Y-%m-%d} {hour:02}:00: {emails}</title></rect>"
            )
    every = -(-count // 12)
    for index in range(0, count, every):
        day = first + timedelta(days=index)
        label = f"{day:%d %b}" if count * wide > 500 or index == 0 else f"{day:%d}"
        parts.append(_text(_LEFT + index * wide, y + high + 13, f"{day:%b %Y}" if count > _A_YEAR else label))
    return parts


def _legend(width: float, most: int) -> list[str]:
    """What the shades mean. With few emails an hour not every shade is used."""
    parts, x = [], width - 16.0
    for shade in range(_SHADES, 0, -1):
        low, high = most * (shade - 1) // _SHADES + 1, most * shade // _SHADES
        if low > high:
            continue
        label = str(low) if low == high else f"{low} to {high}"
        x -= 8 * len(label)
        parts.append(_text(x, 24, label))
        x -= 17
        parts.append(f'<rect class="s{shade}" x="{x:.1f}" y="14" width="12" height="12"/>')
        x -= 12
    return parts


def _text(x: float, y: float, text: str, kind: str | None = None, *, anchor: str | None = None) -> str:
    styled = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{x:.1f}" y="{y:.1f}"{styled}>{escape(text)}</text>'


def _document(label: str, width: float, height: float, parts: list[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    body = "\n".join(['<rect class="page" width="100%" height="100%"/>', *parts])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={quoteattr(label)}>\n<style>{_STYLE}</style>\n{body}\n</svg>\n'
