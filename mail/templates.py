"""Templates written by users: checked when saved, filled when sent.

A small part of Jinja2: variables, `if`, comparisons, a few filters. No loops, calls, macros, assignments or
multiplication: what a template can cost is bounded by its length, and nothing in it reaches Python objects. On top of
that it runs in Jinja's sandbox.

A variable that is absent, None or blank after strip counts as *not there*, everywhere: `default` replaces it, `if`
takes the other branch, `is defined` says no. Printing it is refused (`Hi ,` is the common real fault of mail merges),
so what is required depends on the branches that the values take. The number 0 and False are values. A line that holds
only a `{% %}` tag leaves no empty line behind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, nodes
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS

from mail.errors import TemplateError, VariableMissing

MAX_SOURCE = 256 * 1024
"""Characters in one template."""

MAX_OUTPUT = 256 * 1024
"""Characters that one template may produce."""

MAX_SUBJECT = 300
"""Characters in a rendered subject."""

MAX_VALUE = 10_000
"""Characters in one value."""

_MAX_EXPRESSION = 200
"""Nodes in one expression: with MAX_VALUE this bounds what it can build before MAX_OUTPUT is looked at."""

_FIELDS = ("subject", "text", "html")
_ALLOWED_FILTERS = frozenset(
    [
        "default",
        "d",
        "upper",
        "lower",
        "capitalize",
        "title",
        "trim",
        "escape",
        "e",
        "length",
        "int",
        "float",
        "truncate",
        "striptags",
        "string",
        "abs",
    ]
)
_ALLOWED_TESTS = frozenset(
    [
        "defined",
        "undefined",
        "none",
        "string",
        "number",
        "true",
        "false",
        "eq",
        "equalto",
        "ne",
        "lt",
        "lessthan",
        "le",
        "gt",
        "greaterthan",
        "ge",
        "in",
    ]
)
_ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.CondExpr,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.Filter,
    nodes.Keyword,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Add,
    nodes.Sub,
    nodes.Concat,
)
_SPACE = re.compile(r"\s+")
# C0, DEL, C1, and the separators that some software takes for line ends.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Templates:
    """The sources of one email. `html` is optional; `text` is always there."""

    subject: str
    text: str
    html: str | None = None

    def parts(self) -> Iterator[tuple[str, str]]:
        """(field, source) of the parts that there are."""
        for field in _FIELDS:
            source = getattr(self, field)
            if source is not None:
                yield field, source


@dataclass(frozen=True)
class Rendered:
    """What a recipient reads. Line ends are \\n; the subject is one line without control characters."""

    subject: str
    text: str
    html: str | None = None


def one_line(text: str) -> str:
    """`text` as one header line: control characters and line ends become spaces, spaces are folded, ends trimmed."""
    return _SPACE.sub(" ", _CONTROLS.sub(" ", text)).strip()


def check(templates: Templates) -> None:
    """Raises TemplateError for the first syntax error or construct that is not allowed."""
    for field, source in templates.parts():
        _compiled(field, source)


def variables(templates: Templates) -> set[str]:
    """Every variable that the templates name, as dotted path (`contact.first_name`). Raises TemplateError."""
    return {path for field, source in templates.parts() for path in _compiled(field, source).paths}


def blank(templates: Templates, values: Mapping[str, Any]) -> list[str]:
    """The variables that these values lack where the templates would print them, in order of use.

    Empty when `render` would find all it needs. Raises TemplateError.
    """
    return _render(templates, values)[1]


def render(templates: Templates, values: Mapping[str, Any]) -> Rendered:
    """The email for these values: nested mappings of text, numbers, dates or lists of them.

    Values are escaped in the HTML part only. Raises VariableMissing, or TemplateError for templates that `check`
    refuses, for a subject over 300 characters, a value over 10,000 and a part over 256 Ki characters.
    """
    texts, missing = _render(templates, values)
    if missing:
        raise VariableMissing(missing)
    subject = one_line(texts["subject"])
    if len(subject) > MAX_SUBJECT:
        raise TemplateError("subject", None, f"it has {len(subject)} characters, {MAX_SUBJECT} are allowed")
    return Rendered(subject, texts["text"], texts.get("html"))


def _render(templates: Templates, values: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    missing: dict[str, None] = {}
    texts: dict[str, str] = {}
    for field, source in templates.parts():
        compiled = _compiled(field, source)
        scope = _Scope(values, "", missing)
        roots = {path.partition(".")[0] for path in compiled.paths}
        pieces: list[str] = []
        size = 0
        try:
            for piece in compiled.template.generate({root: scope.find(root) for root in roots}):
                size += len(piece)
                if size > MAX_OUTPUT:
                    raise TemplateError(field, None, f"the result is longer than {MAX_OUTPUT} characters")
                pieces.append(piece)
        except TemplateError:
            raise
        except Exception as error:
            # Whatever a filter or comparison makes of a value it was not written for, such as round of a name.
            raise TemplateError(field, None, str(error) or type(error).__name__) from error
        texts[field] = "".join(pieces)
    return texts, list(missing)


class _Absent(Undefined):
    """A variable that is not there. False in `if`, replaced by `default`; printing it notes its path as missing."""

    def __init__(self, path: str, missing: dict[str, None]) -> None:
        super().__init__(name=path)
        object.__setattr__(self, "_path", path)
        object.__setattr__(self, "_missing", missing)

    def child(self, name: str) -> _Absent:
        return _Absent(f"{self._path}.{name}", self._missing)

    def __str__(self) -> str:
        self._missing[self._path] = None
        return ""

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, _Absent)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(None)

    def _no(self, other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _no  # type: ignore[assignment]

    def _same(self, *others: object) -> _Absent:
        str(self)
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __neg__ = _same  # type: ignore[assignment]


class _Scope:
    """A group of variables, such as `contact`. Not a mapping: a template cannot reach a method of it."""

    def __init__(self, values: Mapping[str, Any], path: str, missing: dict[str, None]) -> None:
        self._values = values
        self._path = path
        self._missing = missing

    def find(self, name: str) -> Any:
        path = f"{self._path}.{name}" if self._path else name
        value = self._values.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return _Absent(path, self._missing)
        if isinstance(value, Mapping):
            return _Scope(value, path, self._missing)
        if isinstance(value, (list, tuple)):
            value = ", ".join(str(item) for item in value)
        elif not isinstance(value, (bool, int, float, str)):
            value = str(value)
        if isinstance(value, str):
            if len(value) > MAX_VALUE:
                raise ValueError(f"{path} has {len(value)} characters, {MAX_VALUE} are allowed")
            # A plain str, also from a subclass that claims to be safe HTML.
            return str.__str__(value)
        return value

    def __str__(self) -> str:
        raise ValueError(f"{self._path} is a group of variables, name one of them")


def _default(value: Any, default: Any = "", boolean: bool = False) -> Any:
    return default if isinstance(value, _Absent) or (boolean and not value) else value


def _skipping_absent(function: Callable[..., Any], value_at: int) -> Callable[..., Any]:
    """The filter, letting an absent value through, so that a `default` behind it still sees it."""

    @wraps(function)  # keeps the marks by which Jinja passes an environment or context first
    def filtered(*args: Any, **kwargs: Any) -> Any:
        return args[value_at] if isinstance(args[value_at], _Absent) else function(*args, **kwargs)

    return filtered


def _filters() -> dict[str, Callable[..., Any]]:
    allowed = {name: FILTERS[name] for name in _ALLOWED_FILTERS}
    wrapped = {name: _skipping_absent(f, 1 if hasattr(f, "jinja_pass_arg") else 0) for name, f in allowed.items()}
    return {**wrapped, "default": _default, "d": _default}


class _Environment(ImmutableSandboxedEnvironment):
    def __init__(self, autoescape: bool) -> None:
        super().__init__(
            autoescape=autoescape,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            cache_size=0,
        )
        self.globals = {}
        self.filters = _filters()
        self.tests = {name: TESTS[name] for name in _ALLOWED_TESTS}
        self.tests["none"] = lambda value: isinstance(value, _Absent)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, _Scope):
            return obj.find(attribute)
        if isinstance(obj, _Absent):
            return obj.child(attribute)
        raise ValueError(f"there is nothing named {attribute} in a plain value")

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self.getattr(obj, str(argument))


_ENVIRONMENTS = {"subject": _Environment(False), "text": _Environment(False), "html": _Environment(True)}


@dataclass(frozen=True)
class _Compiled:
    template: Template
    paths: frozenset[str]


@lru_cache(maxsize=1024)
def _compiled(field: str, source: str) -> _Compiled:
    if len(source) > MAX_SOURCE:
        raise TemplateError(field, None, f"it is longer than {MAX_SOURCE} characters")
    environment = _ENVIRONMENTS[field]
    try:
        tree = environment.parse(source)
        _inspect(field, tree)
        return _Compiled(environment.from_string(source), frozenset(_paths(tree)))
    except TemplateError:
        raise
    except TemplateSyntaxError as error:
        raise TemplateError(field, error.lineno, error.message or "syntax error") from error
    except Exception as error:
        # Parser or Python itself give up: RecursionError, SyntaxError after 100 nested ifs, ValueError for huge numbers.
        raise TemplateError(field, None, f"too deep or too large: {error}") from error


def _inspect(field: str, tree: nodes.Template) -> None:
    for node in _walk(tree):
        if not isinstance(node, _ALLOWED_NODES):
            raise TemplateError(field, node.lineno, f"{type(node).__name__} is not allowed here")
        if isinstance(node, nodes.Name) and node.name == "self":
            raise TemplateError(field, node.lineno, "self is not a variable")
        if isinstance(node, nodes.Filter) and node.name not in _ALLOWED_FILTERS:
            raise TemplateError(field, node.lineno, f"no filter named {node.name!r}")
        if isinstance(node, nodes.Filter) and node.node is None:
            raise TemplateError(field, node.lineno, "filter blocks are not allowed here")
        if isinstance(node, nodes.Test) and node.name not in _ALLOWED_TESTS:
            raise TemplateError(field, node.lineno, f"no test named {node.name!r}")
        if isinstance(node, (nodes.Filter, nodes.Test)) and (node.dyn_args or node.dyn_kwargs):
            raise TemplateError(field, node.lineno, "* and ** are not allowed here")
        if isinstance(node, nodes.Getitem) and not (
            isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str)
        ):
            raise TemplateError(field, node.lineno, "only a quoted name may stand in brackets")
        if isinstance(node, (nodes.Getattr, nodes.Getitem)) and _path(node) is None:
            raise TemplateError(field, node.lineno, "only a variable has parts")
        if isinstance(node, (nodes.Output, nodes.If)):
            for expression in node.nodes if isinstance(node, nodes.Output) else [node.test]:
                if sum(1 for _ in _walk(expression)) > _MAX_EXPRESSION:
                    raise TemplateError(field, node.lineno, "the expression is too long")


def _walk(root: nodes.Node) -> Iterator[nodes.Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(list(node.iter_child_nodes())))


def _paths(tree: nodes.Template) -> Iterator[str]:
    stack: list[nodes.Node] = [tree]
    while stack:
        node = stack.pop()
        path = _path(node)
        if path is None:
            stack.extend(node.iter_child_nodes())
        else:
            yield path


def _path(node: nodes.Node) -> str | None:
    """`contact.first_name` of the node that reads it, None for anything but a chain of names."""
    names: list[str] = []
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        names.append(node.attr if isinstance(node, nodes.Getattr) else str(getattr(node.arg, "value", "")))
        node = node.node
    return ".".join([node.name, *reversed(names)]) if isinstance(node, nodes.Name) else None
