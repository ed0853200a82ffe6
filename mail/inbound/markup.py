"""HTML to plain text, for mails that have nothing else. One pass, whatever the markup: time grows with its length only."""

from __future__ import annotations

import html
import re

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]*)([^<>]*)>|<[!?][^<>]*>")
_HIDDEN = re.compile(r"<(script|style|title|noscript|template)\b[^<>]*>|<!--", re.IGNORECASE)
_ENDS = {
    name: re.compile(rf"</{name}\s{{0,20}}>", re.IGNORECASE)
    for name in ("script", "style", "title", "noscript", "template")
}
_SPACE = re.compile(r"[ \t\r\n\f]+")
_MAILTO = re.compile(r"""href\s*=\s*["']?mailto:([^"'?\s>]{3,200}@[^"'?\s>]{1,200})""", re.IGNORECASE)
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "br",
        "tr",
        "li",
        "ul",
        "ol",
        "table",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "pre",
        "section",
        "article",
        "header",
        "footer",
        "blockquote",
        "dl",
        "dt",
        "dd",
        "center",
        "address",
        "form",
    ]
)
_PARAGRAPHS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote"])
_RULE = "_" * 32


def text_of_html(source: str) -> str:
    """The text. Blocks become lines, quotes (blockquote) lines with "> ", Outlook's mark above a quoted mail a separator."""
    source = _without_hidden(source)
    writer = _Writer()
    at = 0
    link, shown = "", 0
    for tag in _TAG.finditer(source):
        if tag.start() > at:
            writer.write(source[at : tag.start()])
        at = tag.end()
        name = tag.group(2)
        if name is None:
            continue
        name, closing = name.lower(), bool(tag.group(1))
        if name == "a":
            mailto = None if closing else _MAILTO.search(tag.group(3))
            if closing and link and not writer.address_since(shown):
                writer.write(f" <{link}>")
            link = mailto.group(1) if mailto else ""
            shown = writer.place()
        elif name in ("td", "th"):
            writer.write(" ")
        elif name in _BLOCKS:
            writer.block(name, closing, tag.group(3))
    writer.write(source[at:])
    return writer.text()


def _without_hidden(source: str) -> str:
    """Without comments and what is never shown; what is never closed is hidden to the end, as browsers do."""
    out: list[str] = []
    at = 0
    while (found := _HIDDEN.search(source, at)) is not None:
        out.append(source[at : found.start()])
        if found.group(1) is None:
            end = source.find("-->", found.end())
            at = end + 3 if end >= 0 else len(source)
        else:
            close = _ENDS[found.group(1).lower()].search(source, found.end())
            at = close.end() if close is not None else len(source)
    out.append(source[at:])
    return "".join(out)


class _Writer:
    """Lines as they are shown, each with its depth of quoting."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0
        self._plain: list[bool] = []  # per open blockquote: whether it only indents

    def write(self, source: str) -> None:
        text = _SPACE.sub(" ", source)
        if "&" in text:
            text = html.unescape(text)
        if text:
            self._line.append(text)

    def place(self) -> int:
        return len(self._line)

    def address_since(self, place: int) -> bool:
        """Whether an address was written on this line since a place."""
        return any("@" in text for text in self._line[place:])

    def block(self, name: str, closing: bool, attributes: str) -> None:
        line = _SPACE.sub(" ", "".join(self._line)).strip()
        self._line.clear()
        # An empty cell or division makes no line; a paragraph has an empty one above and below.
        if line or name == "br":
            self._end(line)
        if name in _PARAGRAPHS:
            self._end("")
        if name == "blockquote":
            self._quote(closing, attributes)
        elif name == "hr":
            self._end(_RULE)
        elif name == "div" and not closing and "divRplyFwdMsg" in attributes:
            self._end("-----Original Message-----")

    def _end(self, line: str) -> None:
        if not line and self._lines and not self._lines[-1].strip("> "):
            return
        self._lines.append(f"{'> ' * min(self._depth, 5)}{line}" if self._depth else line)

    def _quote(self, closing: bool, attributes: str) -> None:
        if not closing:
            # Gmail and Outlook indent with a blockquote that has no border; a quote has one, or says what it is.
            plain = (
                "cite" not in attributes and "quote" not in attributes and "border:none" in attributes.replace(" ", "")
            )
            if len(self._plain) < 1_000:
                self._plain.append(plain)
                self._depth += not plain
        elif self._plain:
            self._depth -= not self._plain.pop()

    def text(self) -> str:
        self.block("div", True, "")
        return "\n".join(self._lines).strip("\n")
