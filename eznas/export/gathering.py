"""Takes the source of functions, and of all that they need, out of modules into one standalone text."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

from eznas.errors import ExportError

_OWN: Final = ("eznas", "eznas_kernels")
_REMARKS: Final = re.compile(r"  # (type: ignore|noqa|fmt: skip)[^\n]*")


class Name(NamedTuple):
    """A function, class or constant at the top level of a module."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """Definitions that stand for themselves.

    Attributes:
        imports: The import statements that they need.
        definitions: The text of each, after those of what it needs to be defined; equal texts stand once.
        names: What each is called in the text.
    """

    imports: tuple[str, ...]
    definitions: Mapping[Name, str]
    names: Mapping[Name, str]

    def in_order_of_source(self) -> tuple[str, ...]:
        """The definitions in the order of their modules, and in each as they stand there."""
        modules = list(dict.fromkeys(each.module for each in self.definitions))
        places = {each: (modules.index(each.module), line_of(each)) for each in self.definitions}
        return tuple(self.definitions[each] for each in sorted(places, key=places.__getitem__))


@dataclass(slots=True)
class _Module:
    lines: list[bytes]
    definitions: dict[str, ast.stmt] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    """The last line of each, its description included."""
    own: dict[str, Name | str] = field(default_factory=dict)
    """Imported names that lead to modules of this project (their path) or to what they define."""
    imports: dict[str, str] = field(default_factory=dict)
    """Other imported names and the statements that import them."""
    companions: dict[str, str] = field(default_factory=dict)
    """Classes that a decorator registers for another class, by that class."""


def gather(
    roots: Iterable[Name], provided: Mapping[Name, str] | None = None, reserved: Iterable[str] = ()
) -> Gathered:
    """Gather functions, with the functions, classes, constants and imports that they need.

    Names that are defined in several modules get that of their module in front; constants that are equal
    everywhere stay one.

    Args:
        roots: What is wanted.
        provided: What is defined elsewhere in the text, and how it is called there.
        reserved: Names that no definition may take; those of what is provided, mostly.

    Raises:
        ExportError: A name that its module does not define.
    """
    order: dict[Name, None] = {}
    given = provided or {}
    for root in roots:
        _visit(root, given, order)
    names = {**_chosen_names(list(order), frozenset(reserved)), **given}
    imports: dict[str, None] = {}
    definitions: dict[str, Name] = {}
    for each in order:
        module = _parsed(each.module)
        for _, name, needed in _references(each):
            if isinstance(needed, str):
                imports[module.imports[name]] = None
        definitions.setdefault(_text(each, names), each)
    return Gathered(tuple(imports), {each: text for text, each in definitions.items()}, names)


def line_of(definition: Name) -> int:
    """Where a definition stands in its module."""
    return _parsed(definition.module).definitions[definition.name].lineno


def sorted_imports(statements: Iterable[str]) -> str:
    """Import statements as a block: the standard library first, then the rest, each in order."""
    groups: tuple[set[str], set[str]] = (set(), set())
    members: dict[str, set[str]] = {}
    for statement in statements:
        if statement.startswith("from "):
            _, module, _, member = statement.split(" ", 3)
            members.setdefault(module, set()).add(member)
        else:
            groups[statement.split()[1].split(".")[0] not in sys.stdlib_module_names].add(statement)
    for module, some in members.items():
        statement = f"from {module} import {', '.join(sorted(some))}"
        groups[module.split(".")[0] not in sys.stdlib_module_names].add(statement)
    blocks = ["\n".join(sorted(group, key=_import_order)) for group in groups if group]
    return "\n\n".join(blocks)


def _import_order(statement: str) -> tuple[bool, str]:
    return statement.startswith("from "), statement.split()[1]


def _visit(wanted: Name, provided: Mapping[Name, str], order: dict[Name, None]) -> None:
    """Add a definition after those that it needs; functions that call each other come in any order."""
    waiting: list[tuple[Name, Iterator[Name]]] = []
    seen = set(order)

    def enter(name: Name) -> None:
        if name in seen or name in provided:
            return
        seen.add(name)
        needed = [each for _, _, each in _references(name) if isinstance(each, Name)]
        waiting.append((name, iter(needed)))

    enter(wanted)
    while waiting:
        name, needed = waiting[-1]
        following = next(needed, None)
        if following is not None:
            enter(following)
            continue
        waiting.pop()
        order[name] = None
        companion = _parsed(name.module).companions.get(name.name)
        if companion is not None:
            enter(Name(name.module, companion))


@cache
def _parsed(path: str) -> _Module:
    source = inspect.getsource(importlib.import_module(path))
    parsed = _Module(source.encode().splitlines())
    statements = ast.parse(source).body
    for statement, following in zip(statements, [*statements[1:], None], strict=True):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            _note_import(parsed, statement)
            continue
        end = statement.end_lineno or statement.lineno
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            end = following.end_lineno or end
        for name in _defined(statement):
            parsed.definitions[name], parsed.ends[name] = statement, end
            if isinstance(statement, ast.ClassDef):
                for decorator in statement.decorator_list:
                    for argument in decorator.args if isinstance(decorator, ast.Call) else []:
                        if isinstance(argument, ast.Name):
                            parsed.companions[argument.id] = name
    return parsed


def _note_import(parsed: _Module, statement: ast.Import | ast.ImportFrom) -> None:
    for alias in statement.names:
        name = alias.asname or alias.name.split(".")[0]
        renamed = f" as {alias.asname}" if alias.asname else ""
        if isinstance(statement, ast.Import):
            parsed.imports[name] = f"import {alias.name}{renamed}"
        elif (statement.module or "").split(".")[0] not in _OWN:
            parsed.imports[name] = f"from {statement.module} import {alias.name}{renamed}"
        else:
            submodule = f"{statement.module}.{alias.name}"
            is_module = importlib.util.find_spec(str(statement.module)) is not None and _is_module(submodule)
            parsed.own[name] = submodule if is_module else Name(str(statement.module), alias.name)


def _is_module(path: str) -> bool:
    try:
        return importlib.util.find_spec(path) is not None
    except ModuleNotFoundError:
        return False


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return []


@cache
def _references(definition: Name) -> tuple[tuple[ast.expr, str, Name | str], ...]:
    """The expressions that lead out of a definition: where, which name, and what that is.

    What it is, is a definition to gather too, or the text of the name where it is imported from elsewhere.
    """
    module = _parsed(definition.module)
    if definition.name not in module.definitions:
        raise ExportError(f"expected {definition.module} to define {definition.name}")
    statement = module.definitions[definition.name]
    local: set[str] = {node.arg for node in ast.walk(statement) if isinstance(node, ast.arg)}
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        stored = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
        local |= {node.id for node in stored if isinstance(node.ctx, ast.Store)}
    found: list[tuple[ast.expr, str, Name | str]] = []
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            path = module.own.get(node.value.id)
            if isinstance(path, str) and node.value.id not in local:
                found.append((node, node.value.id, Name(path, node.attr)))
        if isinstance(node, ast.Name) and node.id not in local:
            imported = module.own.get(node.id)
            if isinstance(imported, Name):
                found.append((node, node.id, imported))
            elif node.id in module.imports:
                found.append((node, node.id, node.id))
            elif node.id in module.definitions and (node.id != definition.name):
                found.append((node, node.id, Name(definition.module, node.id)))
    return tuple(found)


def _chosen_names(gathered: Sequence[Name], reserved: frozenset[str]) -> dict[Name, str]:
    groups: dict[str, list[Name]] = {}
    for each in gathered:
        groups.setdefault(each.name, []).append(each)
    chosen = {}
    for name, group in groups.items():
        texts = {_text(each, {}) for each in group}
        for each in group:
            stem = each.module.rpartition(".")[2]
            is_free = name not in reserved and len(texts) == 1
            chosen[each] = name if is_free else f"{stem}_{name}" if name[0] != "_" else f"_{stem}{name}"
    return chosen


def _text(definition: Name, names: Mapping[Name, str]) -> str:
    """The source of a definition, with the comment above it, in which names are the chosen ones."""
    module = _parsed(definition.module)
    statement = module.definitions[definition.name]
    decorators = statement.decorator_list if isinstance(statement, ast.FunctionDef | ast.ClassDef) else []
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    while first and module.lines[first - 1].startswith(b"#"):
        first -= 1
    lines = module.lines[first : module.ends[definition.name]]
    places = [
        (node, names[needed])
        for node, _, needed in _references(definition)
        if isinstance(needed, Name) and needed in names
    ]
    for node, new in sorted(places, key=lambda place: (place[0].lineno, -place[0].col_offset)):
        line = lines[node.lineno - 1 - first]
        lines[node.lineno - 1 - first] = line[: node.col_offset] + new.encode() + line[node.end_col_offset :]
    text = _REMARKS.sub("", b"\n".join(lines).decode())
    renamed = names.get(definition, definition.name)
    if renamed != definition.name:
        head = re.compile(rf"^((?:def |class )?){re.escape(definition.name)}\b", re.MULTILINE)
        text = head.sub(rf"\g<1>{renamed}", text, count=1)
    return text


def joined(texts: Iterable[str]) -> str:
    """Definitions as one text: two empty lines between them, none between constants of one line."""
    text = ""
    was_constant = False
    for each in texts:
        is_constant = "\n" not in each
        text += ("\n" if is_constant and was_constant else "\n\n\n" if text else "") + each
        was_constant = is_constant
    return text + "\n"
