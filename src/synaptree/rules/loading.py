"""Rules in files: a file is executed once a process, from its text, together with the modules of
its folder that it imports.

Both have names of their own in `sys.modules`, which hold the hash of all these texts. So an edited
file is another module, two folders may each have a ``helpers.py``, and a process that is handed a
`Source` needs no files.
"""

import builtins
import inspect
import linecache
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from synaptree.errors import SynaptreeError, unknown
from synaptree.rules.base import Facts, Rule
from synaptree.rules.source import LOADED, Source, hash_of, read_source


def load(path: Path) -> ModuleType:
    """The module of a rule's file.  Raises SynaptreeError where it cannot be read or run."""
    source = read_source(path)
    source = replace(source, module=_module_name(source))
    return _execute(source, path.parent, str(path))


def adopt(sources: Sequence[Source]) -> None:
    """Make the rules of files available under the module names that they have in the process that
    loaded them, so that pickled rules can be read here. Only files that `rule_class` loaded are
    executed; other modules Python imports itself.

    Raises SynaptreeError for a text that does not have its hash.
    """
    for source in sources:
        if (found := hash_of(source.text, source.beside)) != source.sha256:
            raise SynaptreeError(
                f"rule {source.file}: its text has the hash {found}; expected {source.sha256}"
            )
        if source.module == _module_name(source):
            _execute(source, None, f"<{source.file}>")


def only(module: ModuleType, path: str, name: str) -> type[Rule]:
    """The rule of a class name in a file, or without a name the only rule in it."""
    classes = [each for each in vars(module).values() if inspect.isclass(each)]
    own = [c for c in classes if issubclass(c, Rule) and c.__module__ == module.__name__]
    by_name = {rule.__name__: rule for rule in own}
    if name in by_name:
        return by_name[name]
    # A class without `teach` is only a base of rules, unless it is asked for.
    by_name = {name: rule for name, rule in by_name.items() if not inspect.isabstract(rule)}
    if not by_name:
        raise SynaptreeError(
            f"rule {path}: holds no rule; expected a subclass of synaptree.rules.Rule with teach"
        )
    if name:
        raise unknown(f"rule {path}", name, by_name)
    if len(by_name) > 1:
        raise SynaptreeError(
            f"rule {path}: holds {len(by_name)} rules; expected one of "
            f"{', '.join(f'{path}:{each}' for each in by_name)}"
        )
    return next(iter(by_name.values()))


def broken(where: str, fault: Exception) -> SynaptreeError:
    """The error for code that does not run, with the last line of its traceback."""
    if said := _about_facts(fault):
        return SynaptreeError(f"{where}: {said}")
    text = " ".join(str(fault).split())
    for frame in reversed(traceback.extract_tb(fault.__traceback__)):
        if frame.filename != __file__ and not frame.filename.startswith("<frozen"):
            text += f" (line {frame.lineno} of {Path(frame.filename).name})"
            break
    return SynaptreeError(
        f"{where}: does not run ({type(fault).__name__}: {text}); expected Python that can be "
        "imported"
    )


def _about_facts(fault: Exception) -> str:
    """What is wrong where a rule's file calls `Facts` without some argument, or with an unknown
    one; empty for any other fault."""
    call = re.match(r"Facts\.__init__\(\) (missing|got an unexpected)\D.*", str(fault))
    if call is None or not isinstance(fault, TypeError):
        return ""
    names = re.findall(r"'(\w+)'", str(fault))
    if call[1] != "missing":
        return str(unknown("facts", names[0], [field.name for field in fields(Facts)]))
    needed = [field.name for field in fields(Facts) if field.default is MISSING]
    return f"facts: no {', '.join(names)} given; expected each of {', '.join(needed)} as text"


def _module_name(source: Source) -> str:
    stem = re.sub(r"\W", "_", Path(source.file).stem)
    return f"synaptree_file_{stem}_{source.sha256}"


def _execute(source: Source, folder: Path | None, filename: str) -> ModuleType:
    """The module of a source, executed once a process and registered, so that it can be pickled.

    folder: where its files are, None where only their texts are here.
    """
    if source.module in LOADED:
        return sys.modules[source.module]
    importer = _Importer(source, folder)
    try:
        return importer.executed(source.module, source.text, filename)
    except BaseException as fault:
        for name in importer.made:
            del sys.modules[name], LOADED[name]
        if not isinstance(fault, Exception):
            raise
        if isinstance(fault, SynaptreeError):
            raise SynaptreeError(f"rule {filename}: {fault}") from None
        raise broken(f"rule {filename}", fault) from fault


class _Importer:
    """Executes the modules of a source, whose imports find the modules beside them first.

    made: the names of the modules that it has executed.
    """

    def __init__(self, source: Source, folder: Path | None) -> None:
        self.source, self.folder = source, folder
        self.texts = dict(source.beside)
        self.made: list[str] = []

    def executed(self, name: str, text: str, filename: str) -> ModuleType:
        """A new module of this name, as the text makes it."""
        module = ModuleType(name)
        module.__file__ = filename
        # Functions look `__import__` up here, so that imports within them find these modules too.
        module.__dict__["__builtins__"] = vars(builtins) | {"__import__": self.imports}
        # Tracebacks and `inspect` then show the text that was run, even where the file is not.
        lines = text.splitlines(keepends=True)
        linecache.cache[filename] = (len(text), None, lines, filename)
        sys.modules[name], LOADED[name] = module, self.source
        self.made.append(name)
        exec(compile(text, filename, "exec"), module.__dict__)
        return module

    def imports(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """In the place of `__import__`."""
        if name not in self.texts or level:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        own = f"{self.source.module}.{name}"
        if own in LOADED:
            return sys.modules[own]
        file = f"{name}.py"
        filename = f"<{file}>" if self.folder is None else str(self.folder / file)
        return self.executed(own, self.texts[name], filename)
