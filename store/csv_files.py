"""Contacts and accounts as rows that a caller or a CSV file brings, and the reading of such files. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    ValidationError,
)

from domain.errors import DomainError
from domain.sequences import Definition, Id
from domain.zones import check_country, check_zone, read_country

MAX_PROBLEMS = 20
"""How many wrong cells an error lists; the rest are counted."""

MAX_FIELDS = 200
"""Own fields per contact or account."""

EmailStatus = Literal["unknown", "verified", "unverified", "bounced"]

# C0, DEL, C1 and the separators that some software takes for line ends: they would break a mail header in two.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("holds a NUL character; remove it")
    return value


def _one_line(value: str) -> str:
    if _CONTROLS.search(value):
        raise ValueError("holds a line end or another control character; write it on one line")
    return value


def _short(limit: int, least: int = 0) -> Any:
    # Cut at the ends before counting: spreadsheets leave blanks behind.
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=limit)


Name = Annotated[str, _short(200), AfterValidator(_one_line)]
Word = Annotated[str, _short(200, 1), AfterValidator(_one_line)]
Address = Annotated[str, _short(320, 1), AfterValidator(_one_line)]
Key = Annotated[str, _short(100, 1), AfterValidator(_one_line)]
Zone = Annotated[str, _short(80, 1), AfterValidator(check_zone)]
Country = Annotated[str, _short(80, 1), AfterValidator(check_country)]
Text = Annotated[str, _short(2_000), AfterValidator(_storable)]
_Whole = Annotated[StrictInt, Field(ge=-(2**53), le=2**53)]
_Real = Annotated[StrictFloat, Field(allow_inf_nan=False)]
Value = StrictBool | _Whole | _Real | Text
Fields = Annotated[dict[Key, Value], Field(max_length=MAX_FIELDS)]


class AccountRow(Definition):
    """An account to insert or update. What is None is left as it is; `fields` are added to those that are there."""

    id: Id
    name: Word
    stage: Word | None = None
    fields: Fields = Field(default_factory=dict)


class ContactRow(Definition):
    """A contact to insert or update. What is None is left as it is; `fields` are added to those that are there.

    The address is kept as written: whether it is well-formed is asked at enrollment and before each email, so that one
    bad address does not keep a whole file out.
    """

    id: Id
    account: Id | None = None
    """The ID of an account that exists."""
    first_name: Name | None = None
    last_name: Name | None = None
    email: Address | None = None
    email_status: EmailStatus | None = None
    stage: Word | None = None
    consent: bool | None = None
    changed_job: bool | None = None
    zone: Zone | None = None
    """IANA name, such as Europe/Berlin."""
    country: Country | None = None
    """ISO 3166-1 alpha-2 code, such as DE."""
    fields: Fields = Field(default_factory=dict)


R = TypeVar("R", AccountRow, ContactRow)


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file. `line` counts from 1 with the header; `column` is the header's word."""

    line: int
    column: str | None
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{place}: {self.message}"


class InvalidRows(DomainError):
    """A file, or a list of rows, with something wrong in it; nothing of it was written. `problems`: the first ones."""

    code = "invalid_rows"

    def __init__(self, problems: Seq[Problem]) -> None:
        self.problems = tuple(problems[:MAX_PROBLEMS])
        self.total = len(problems)
        lines = [str(problem) for problem in self.problems]
        if self.total > len(lines):
            lines.append(f"and {self.total - len(lines)} more")
        super().__init__("\n".join(lines))


@dataclass(frozen=True)
class File(Generic[R]):
    """The rows of a CSV file, and the line on which each begins."""

    rows: tuple[R, ...]
    lines: tuple[int, ...]


def parse_contacts_csv(text: str) -> File[ContactRow]:
    """Read contacts: a header with `id` and any of ContactRow's columns; every other column is a field of the contact.

    A column `country` is both: a field as it is written, and the contact's country where that is a code or an English name.
    Commas, semicolons or tabs. A blank cell leaves what is stored as it is. Raises InvalidRows that lists what is wrong.
    """
    return _parse(ContactRow, text)


def parse_accounts_csv(text: str) -> File[AccountRow]:
    """Read accounts: a header with `id`, `name` and perhaps `stage`; see `parse_contacts_csv`."""
    return _parse(AccountRow, text)


def duplicates(ids: Seq[str], lines: Seq[int]) -> list[Problem]:
    """IDs that come twice: which row would win is not ours to guess."""
    first: dict[str, int] = {}
    found = []
    for key, line in zip(ids, lines, strict=True):
        if key in first:
            found.append(Problem(line, "id", f"{key} is on line {first[key]} already; keep one of them"))
        first.setdefault(key, line)
    return found


def _parse(kind: type[R], text: str) -> File[R]:
    text = text.removeprefix("\ufeff")  # Excel writes a byte order mark
    records = _records(text)
    _, header = next(records, (1, []))
    columns = _columns(kind, header)
    rows: list[R] = []
    lines: list[int] = []
    problems: list[Problem] = []
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            fix = "put quotes around text that holds the separator, and keep empty cells"
            problems.append(Problem(line, None, f"{len(cells)} cells where the header has {len(columns)}; {fix}"))
            continue
        row = _row(kind, columns, cells, line)
        if isinstance(row, list):
            problems += row
        else:
            rows.append(row)
            lines.append(line)
    problems += duplicates([row.id for row in rows], lines)
    if problems:
        raise InvalidRows(sorted(problems, key=lambda problem: problem.line))
    return File(tuple(rows), tuple(lines))


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins: a quoted cell may span several."""
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fix = "a quoted cell ends with a quote, and a quote inside it is written twice"
            raise InvalidRows([Problem(line, None, f"{error}; {fix}")]) from None
        yield line, cells
        line = reader.line_num + 1


def _columns(kind: type[R], header: list[str]) -> list[str]:
    """The header's words; known columns are found in whatever case and with spaces, such as `First Name`."""
    known = _known(kind)
    columns: list[str] = []
    problems: list[Problem] = []
    for cell in header:
        word = cell.strip()
        plain = word.casefold().replace(" ", "_").replace("-", "_")
        column = plain if plain in known else word
        if not column:
            problems.append(Problem(1, None, f"column {len(columns) + 1} has no name; name it or take it out"))
        elif column in columns:
            problems.append(Problem(1, word[:100], "this column comes twice; take one out"))
        columns.append(column)
    if len(columns) > len(known) + MAX_FIELDS:
        problems.append(Problem(1, None, f"more than {MAX_FIELDS} columns of your own; take some out"))
    missing = [name for name, field in kind.model_fields.items() if field.is_required() and name not in columns]
    if missing:
        problems.append(Problem(1, None, f"the header needs the column {' and '.join(missing)}; add it"))
    if problems:
        raise InvalidRows(problems)
    return columns


def _known(kind: type[R]) -> set[str]:
    return set(kind.model_fields) - {"fields", "country"}


def _row(kind: type[R], columns: list[str], cells: list[str], line: int) -> R | list[Problem]:
    filled = {column: cell.strip() for column, cell in zip(columns, cells, strict=True) if cell.strip()}
    known: dict[str, Any] = {column: filled.pop(column) for column in _known(kind) & filled.keys()}
    if kind is ContactRow:
        # Lists write countries in many ways, for letters to read. What is not understood is no reason to refuse a file.
        known["country"] = next((read_country(filled[c]) for c in filled if c.casefold() == "country"), None)
    try:
        return kind.model_validate({**known, "fields": filled})
    except ValidationError as error:
        # The union of a field's value reports each of its members; the last is the text's, which the cell is.
        found = {
            str(p["loc"][1] if p["loc"][0] == "fields" and len(p["loc"]) > 1 else p["loc"][0]): p
            for p in error.errors()
        }
        return [Problem(line, column[:100], _say(problem)) for column, problem in found.items()]


def _say(problem: Any) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "missing":
        return "is empty; fill it in"
    if kind == "string_too_long":
        return f"longer than {context['max_length']} characters; shorten it"
    if kind == "bool_parsing":
        return "neither yes nor no; write yes or no, or leave it empty"
    if kind == "literal_error":
        return f"write {context['expected']}, or leave it empty"
    return message
