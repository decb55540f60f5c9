"""What identifies a rule from outside the package: the file that its class is written in, with the
files of its folder that this one imports."""

import ast
import hashlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType

from synaptree.errors import SynaptreeError, near_file, shown

MOST_READ, LARGEST = 100, 2**20  # files and bytes of each that are read for a hint
Beside = tuple[tuple[str, str], ...]  # the name and the text of each module, sorted by name


@dataclass(frozen=True)
class Source:
    """The code of a rule.

    file: the base name of its file.  sha256: the first 16 hex digits of the hash of all its texts.
    text: of the file.  module: the name under which Python knows it.  beside: the modules of the
    same folder that the file imports, and those that these import.
    """

    file: str
    sha256: str
    text: str
    module: str = ""
    beside: Beside = ()


LOADED: dict[str, Source] = {}  # by module name, the files that the registry has executed


def hash_of(text: str, beside: Beside = ()) -> str:
    """What identifies a text with its modules: the first 16 hex digits of its SHA-256."""
    hashed = hashlib.sha256(text.encode())
    for name, more in beside:
        hashed.update(f"\0{name}\0{more}".encode())
    return hashed.hexdigest()[:16]


def read_source(path: Path) -> Source:
    """The source of a file, not yet loaded.  Raises SynaptreeError where it cannot be read."""
    text = read_text(path)
    beside = modules_beside(path, text)
    return Source(path.name, hash_of(text, beside), text, beside=beside)


def read_text(path: Path) -> str:
    """The text of a rule's file.  Raises SynaptreeError where it cannot be read."""
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as fault:  # ValueError: no UTF-8 text, or no name of a file
        reason = (getattr(fault, "strerror", None) or "not UTF-8 text").lower()
        hint = near_file(path, ".py") if isinstance(fault, FileNotFoundError) else ""
        raise SynaptreeError(
            f"rule {shown(str(path))}: cannot be read ({reason}); expected a Python file, as "
            f"my_rules.py:MyRule{hint}"
        ) from None


def class_in(folder: Path, name: str) -> str:
    """The reference to a top-level class of this name in a file of a folder; empty without one.

    Files are read, never run.
    """
    for path in sorted(folder.glob("*.py"))[:MOST_READ]:
        try:
            tree = ast.parse(path.read_bytes()) if path.stat().st_size < LARGEST else None
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        found = tree.body if tree is not None else ()
        if any(isinstance(each, ast.ClassDef) and each.name == name for each in found):
            return f"{path.name}:{name}"
    return ""


def modules_beside(path: Path, text: str) -> Beside:
    """The modules in the folder of a file that it imports by name, and those that these import.

    Modules of Python itself and installed packages are no part of a rule; nor are folders.
    """
    folder = path.absolute().parent
    if folder.name in ("site-packages", "dist-packages"):  # a rule that is installed as one file
        return ()
    found: dict[str, str] = {}
    waiting = [text]
    while waiting:
        for name in imported(waiting.pop(), folder.name):
            file = folder / f"{name}.py"
            known = name in found or name in sys.stdlib_module_names or file == path.absolute()
            if not known and file.is_file():
                found[name] = read_text(file)
                waiting.append(found[name])
    return tuple(sorted(found.items()))


def imported(text: str, package: str) -> Iterator[str]:
    """The names, without a dot, of what a text imports anywhere: ``import a``, ``from .a import
    b``, or ``from package.a import b``.  None of a text that is no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # which executing it will say
        return
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level <= 1:
            many = [alias.name for alias in node.names]
            names = [node.module] if node.module else many
            if node.module == package:
                names += [f"{package}.{name}" for name in many]
        for name in names:
            inner = name.removeprefix(f"{package}.")
            if "." not in inner:
                yield inner


@cache
def source_of(rule: type) -> Source | None:
    """The source of a rule's class; None for the package's own.

    Where a class has no file, as in a notebook, its source is the text of the class, or where this
    is not kept either, what Python has compiled of it.
    """
    module = rule.__module__
    if module.startswith("synaptree.rules."):
        return None
    if module in LOADED:
        return LOADED[module]
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is not None and Path(file).is_file():
        read = read_source(Path(file))
        return Source(read.file, read.sha256, read.text, module, read.beside)
    try:
        text = inspect.getsource(rule)
    except (OSError, TypeError):
        text = repr({name: _compiled(each) for name, each in vars(rule).items()})
    return Source(f"<{rule.__name__}>", hash_of(text), text, module)


def _compiled(value: object) -> object:
    """What Python has compiled of a function or method; None of anything else."""
    if isinstance(value, property):
        value = value.fget
    code = value if isinstance(value, CodeType) else getattr(value, "__code__", None)
    if not isinstance(code, CodeType):
        return None
    inner = [_compiled(const) or repr(const) for const in code.co_consts]
    return code.co_code.hex(), code.co_names, code.co_varnames, inner
