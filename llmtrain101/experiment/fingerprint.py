"""A fingerprint of code and values: the same in every session exactly when a run would be the same.

Seen: the bytecode of a function and of every function, class and value that it reaches through
globals, closures, defaults, base classes and attributes, as they are in this process now, whether
they were written in a notebook, a script or a file beside it; llmtrain101's own source and data
files; the name and version of every other package.

Not seen: files, web pages and environment variables that the code reads (name files in `data=`);
names that are looked up at run time (`eval`, `importlib`, `getattr` with a computed name on a
module of another package); changes made by hand inside an installed package, or to its objects.
"""

from __future__ import annotations

import copyreg
import dis
import functools
import hashlib
import importlib.metadata
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any, Literal

PACKAGE = "llmtrain101"
_PLAIN = (type(None), type(...), type(NotImplemented), bool, int, float, complex)
_NOT_CODE = frozenset(  # what Python adds to a class; nothing of it is run by an arm
    "__dict__ __weakref__ __module__ __doc__ __qualname__ __firstlineno__ __abstractmethods__ "
    "__static_attributes__ __annotations__ __annotate__ __annotate_func__ __annotations_cache__ "
    "_abc_impl".split()
)


class Fingerprint:
    """Fingerprints of values, and what was met on the way to them.

    Parameters
    ----------
    read_files : bool
        Whether a `pathlib.Path` stands for what the file (or the folder) holds, or for its name.

    Attributes
    ----------
    packages : set of str
        Installed packages that were met.
    local : dict of str to module
        Modules beside the notebook: another process must be sent what this one has of them.
    names : set of str
        Every name that occurs in the code.

    Examples
    --------
    >>> two, deux = (lambda seed: seed + 2), (lambda seed: seed + 2)
    >>> Fingerprint()(two) == Fingerprint()(deux)
    True
    >>> Fingerprint()(two) == Fingerprint()(lambda seed: seed + 3)
    False
    """

    def __init__(self, *, read_files: bool = False) -> None:
        self.read_files = read_files
        self.packages: set[str] = set()
        self.local: dict[str, ModuleType] = {}
        self.names: set[str] = set()
        # The object is kept beside its digest: else another could be given its id.
        self._done: dict[int, tuple[object, bytes]] = {}
        self._open: dict[int, int] = {}

    def __call__(self, value: object) -> str:
        """The fingerprint, 32 hexadecimal digits.

        Raises
        ------
        TypeError
            If something in it has no content to compare, such as a lock, an open file or a socket.
        """
        return self._digest(value).hex()

    def _digest(self, value: Any) -> bytes:
        if type(value) in _PLAIN:
            return _hash(type(value).__name__, repr(value))
        if type(value) is str or type(value) is bytes:
            return _hash(type(value).__name__, value)
        if id(value) in self._done:
            return self._done[id(value)][1]
        if id(value) in self._open:  # a recursive function, or a list that holds itself
            return _hash("cycle", str(len(self._open) - self._open[id(value)]))
        self._open[id(value)] = len(self._open)
        try:
            digest = self._content(value)
        finally:
            del self._open[id(value)]
        self._done[id(value)] = (value, digest)
        return digest

    def _content(self, value: Any) -> bytes:
        if isinstance(value, tuple | list) and type(value) in (tuple, list):
            return _hash(type(value).__name__, *map(self._digest, value))
        if type(value) in (dict, MappingProxyType):  # ordered: a loop over it sees the order
            return _hash("dict", *(self._digest(part) for item in value.items() for part in item))
        if type(value) in (set, frozenset):
            return _hash(type(value).__name__, *sorted(map(self._digest, value)))
        if isinstance(value, CodeType):
            return self._code(value)
        if isinstance(value, ModuleType):
            return self._module(value)
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, staticmethod | classmethod):
            return _hash(type(value).__name__, self._digest(value.__func__))
        if isinstance(value, property):
            return _hash("property", *map(self._digest, (value.fget, value.fset, value.fdel)))
        if isinstance(value, functools.cached_property):  # older ones hold a lock
            return _hash("cached", self._digest(value.func))
        if self.read_files and isinstance(value, Path):
            return file_digest(value)
        return _array(value, self._digest) or self._object(value)

    def _object(self, value: Any) -> bytes:
        """Anything else, taken apart as pickle would, so every class that can be sent is seen."""
        reduce = copyreg.dispatch_table.get(type(value))
        try:
            reduced = reduce(value) if reduce else value.__reduce_ex__(4)
        except Exception as error:
            raise TypeError(
                f"a {type(value).__module__}.{type(value).__qualname__} cannot be compared with "
                f"that of an earlier run ({error}); make it inside the function, or pass "
                "cache=False"
            ) from None
        if isinstance(reduced, str):
            inner = getattr(value, "__wrapped__", None)  # as under functools.cache
            return _hash("named", self._named(value, reduced), self._digest(inner))
        made = [list(part) if isinstance(part, Iterator) else part for part in reduced]
        return _hash("object", *map(self._digest, made))

    def _code(self, code: CodeType) -> bytes:
        self.names.update(code.co_names)
        # Neither file name nor line numbers: the cell moves, the computation stays.
        numbers = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        return _hash(
            *("code", code.co_code, code.co_exceptiontable, repr(numbers), repr(names)),
            *map(self._digest, code.co_consts),
        )

    def _function(self, function: FunctionType) -> bytes:
        module, name = function.__module__, function.__qualname__
        if _home(module) != "local" and _importable(module, name) is function:
            return self._named(function, name)
        if _home(module) == "local":
            self._meet(module)
            self._check_imports(function.__code__)
        scope = function.__globals__
        used = {name: scope[name] for name in sorted(_globals(function.__code__)) if name in scope}
        parts = (function.__defaults__, function.__kwdefaults__, used, function.__dict__)
        cells = [_cell_content(cell) for cell in function.__closure__ or ()]
        return _hash(
            "function",
            self._code(function.__code__),
            *map(self._digest, (*parts, cells)),
        )

    def _class(self, cls: type) -> bytes:
        if _home(cls.__module__) != "local":
            return self._named(cls, cls.__qualname__)
        self._meet(cls.__module__)
        members = {
            name: member
            for name, member in sorted(vars(cls).items())
            if name not in _NOT_CODE and type(member).__name__ != "member_descriptor"
        }
        return _hash("class", *map(self._digest, (cls.__bases__, members)))

    def _module(self, module: ModuleType) -> bytes:
        name = module.__name__
        if _home(name) != "local":
            return self._named(module, "")
        self._meet(name)
        return self._digest({k: v for k, v in sorted(vars(module).items()) if k[:2] != "__"})

    def _named(self, value: Any, name: str) -> bytes:
        module = getattr(value, "__name__" if isinstance(value, ModuleType) else "__module__", None)
        self.names.update((module or "").split("."))
        top = (module or "builtins").partition(".")[0]
        self.packages.add(top)
        return _hash("named", module or "", name, version(top))

    def _meet(self, name: str) -> None:
        if name in sys.modules and name != "__main__":
            self.local[name] = sys.modules[name]

    def _check_imports(self, code: CodeType) -> None:
        for name in sorted(_imported(code)):
            top = name.partition(".")[0]
            self.packages.add(top)
            self.names.update(name.split("."))
            known = top in sys.modules or importlib.util.find_spec(top) is not None
            if known and _home(top) == "local":
                raise TypeError(
                    f"the module {top!r} is imported inside a function, where a later change of "
                    "its file would go unseen; import it at the top, or pass cache=False"
                )


def file_digest(path: Path) -> bytes:
    """What a file holds, or every file of a folder with its name inside the folder.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return _hash(*(p for f in files for p in (str(f.relative_to(path)), file_digest(f))))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@functools.cache
def version(package: str) -> str:
    """The version of an installed package, by its import name; empty for Python's own modules.

    Examples
    --------
    >>> import numpy
    >>> version("numpy") == numpy.__version__, version("json")
    (True, '')
    """
    if package in sys.stdlib_module_names:
        return ""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # sklearn is the import name of scikit-learn
        return str(getattr(sys.modules.get(package), "__version__", ""))


def _hash(*parts: str | bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))  # else ("ab", "c") would equal ("a", "bc")
        digest.update(data)
    return digest.digest()


def _array(value: Any, digest: Any) -> bytes | None:
    """The content of a numpy array or torch tensor; neither package is imported for it."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor) and value.layout is torch.strided:
        kind = repr((value.dtype, str(value.device), tuple(value.shape), value.requires_grad))
        raw = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        return _hash("tensor", kind, raw.tobytes())
    if numpy is not None and isinstance(value, numpy.ndarray):
        kind = repr((value.dtype.str, value.dtype, value.shape))
        if value.dtype.hasobject:
            return _hash("array", kind, digest(value.tolist()))
        return _hash("array", kind, value.tobytes())
    return None


def _home(module: str | None) -> Literal["package", "installed", "local"]:
    """Where a module's code lives, which decides how its changes are noticed."""
    if module is None or module == "__main__":
        return "local"
    top = module.partition(".")[0]
    if top == PACKAGE:
        return "package"
    found = sys.modules.get(top)
    file = getattr(found, "__file__", None) or next(iter(getattr(found, "__path__", ())), None)
    if found is None and (spec := importlib.util.find_spec(top)) is not None:
        file = spec.origin if spec.has_location else None
    if file is None:  # built in, frozen, or made at run time
        return "installed" if top in sys.stdlib_module_names else "local"
    path = Path(file)
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    standard = path.is_relative_to(sysconfig.get_path("stdlib"))
    return "installed" if installed or standard else "local"


def _importable(module: str, qualified_name: str) -> object:
    found: object = sys.modules.get(module)
    for part in qualified_name.split("."):
        found = getattr(found, part, None)
    return found


def _cell_content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # a name that is not bound yet
        return ...


def _instructions(code: CodeType) -> Iterator[dis.Instruction]:
    yield from dis.get_instructions(code)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _instructions(constant)


def _globals(code: CodeType) -> set[str]:
    # LOAD_NAME is how the body of a class inside the function reads a global
    loads = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
    return {str(each.argval) for each in _instructions(code) if each.opname in loads}


def _imported(code: CodeType) -> set[str]:
    found = (each for each in _instructions(code) if each.opname == "IMPORT_NAME")
    return {str(each.argval) for each in found if each.argval}  # empty: from . import x
