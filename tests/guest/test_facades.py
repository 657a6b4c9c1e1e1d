"""What a program can come to from what it is given, on the Python that runs the tests.

The walk goes breadth first over the objects that a program could hold: attributes and types through
the guards, items, what iterating gives, what calling with simple arguments gives, the exceptions of
all of these. None may be a module, a frame, a metaclass and the like.
"""

from __future__ import annotations

import importlib
import itertools
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any

import pytest

from recode_guest import guards
from recode_guest.guards import (
    KEPT_BACK,
    OPAQUE,
    SEALED,
    Facade,
    LanguageError,
    Primitive,
    Printed,
    attribute,
    builtins_of,
    facades_of,
    importer_of,
    kind_of,
)
from recode_runtime.policy import Policy, shipped_names

LANGUAGE = Policy.named("strict").language
# One name for each language: most policies leave it as it is.
LANGUAGES = {str(Policy.named(name).language): name for name in shipped_names()}
MOST = 20_000

INDICES = (0, "a", int, slice(0, 1), (int, str))
ARGUMENTS: tuple[tuple[Any, ...], ...] = (
    (), (1,), ("a",), ([1, 2],), (int,), ({"a": 1},), ("a", "b"), (1, 2), ([1], "a"), (b"ab",),
    (str, (int,)), ("%Y",), ("2020", "%Y"), (None,), ("a", ["b"]), ("x", {"y": 1}), (2020, 1, 1),
    (ValueError("x"),), ("(a)(b)?", "ab"), ("a", "b", "ab"), (lambda *a: a[0] if a else 1,),
    (lambda *a: a[0] if a else 1, [1, 2]), (".", lambda found: found.group(), "ab"),
)  # fmt: skip


@dataclass
class Walk:
    """Breadth first over what a program could hold, with those guards."""

    attribute: Callable[[Any, str], Any] = attribute
    kind_of: Callable[[Any], Any] = kind_of
    steps: int = 0
    _seen: Counter[object] = field(default_factory=Counter)
    _queue: deque[tuple[str, Any]] = field(default_factory=deque)

    def from_roots(self, roots: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Each value with the way to it; alike values twice, what can be called each on its own."""
        self._add("", roots.items())
        while self._queue:
            path, value = self._queue.popleft()
            self.steps += 1
            assert self.steps < MOST, "the walk has no end"
            yield path, value
            if not forbidden(value):
                for way in (self._attributes, self._items, self._calls):
                    self._add(path, way(value))

    def _add(self, path: str, found: Any) -> None:
        for step, value in found:
            if callable(value):
                of = type(getattr(value, "__self__", None))
                alike: object = (getattr(value, "__qualname__", None), type(value), of)
            else:
                alike = type(value)
            self._seen[alike] += 1
            if self._seen[alike] <= 2:
                self._queue.append((path + step, value))

    def _attributes(self, value: Any) -> Iterator[tuple[str, Any]]:
        for name in dir(value):
            yield f".{name}", _result(self.attribute, value, name)
        yield " type", _result(self.kind_of, value)

    def _items(self, value: Any) -> Iterator[tuple[str, Any]]:
        for index in INDICES:
            yield f"[{index}]", _result(lambda index=index: value[index])
        found = _result(lambda: list(itertools.islice(value, 3)))
        yield from ((" item", one) for one in (found if isinstance(found, list) else [found]))

    def _calls(self, value: Any) -> Iterator[tuple[str, Any]]:
        for arguments in ARGUMENTS if callable(value) else ():
            yield f"{arguments}", _result(value, *arguments)


def _result(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception as problem:  # noqa: BLE001  (what a program can catch, it can hold)
        return problem


def given(language: Any) -> dict[str, Any]:
    """Whatever a program of that language finds, and what it can make without a call."""
    facades = facades_of(language.facades)
    roots = builtins_of(language.builtins, importer_of(facades))
    del roots["__import__"]
    names = {
        f"{title}.{name}": attribute(facades[title], name)
        for title, listed in language.facades.items()
        for name in listed
    }
    own = {
        "run": Primitive("run", lambda *_: "ok"),
        "print": Printed(1_000, 1_000)._call_print,
        "lambda": lambda *a: a[0] if a else 1,
        "generator": (one for one in [1]),
        "...": ...,
        "union": int | str,
        "missing attribute": _result(lambda: guards.nowhere),
        "not decoded": _result(b"\xff".decode),
        "not encoded": _result("\xe9".encode, "ascii"),
    }
    return roots | facades | names | own


def forbidden(value: Any) -> str:
    """What is wrong with a program holding that value; nothing if it may."""
    if isinstance(value, ModuleType | FrameType | CodeType | TracebackType):
        return f"a {type(value).__name__}"
    if isinstance(value, type):
        return _forbidden_class(value)
    if type(value) is dict and any(value is vars(module) for module in [*sys.modules.values()]):
        return "the globals of a module"
    if getattr(value, "__name__", "") in ("format", "format_map") and value is not format:
        return "formatting that reaches attributes"
    if any(value is one for one in KEPT_BACK):
        return f"the builtin {value.__name__}"
    if type(value).__module__.startswith("recode_guest") and type(value) not in OPAQUE:
        return f"the guest's own {type(value).__name__}"
    return ""


def _forbidden_class(kind: type) -> str:
    catches_all = issubclass(kind, BaseException) and not issubclass(kind, Exception)
    of_guest = kind.__module__.startswith("recode_guest")
    if kind in OPAQUE or kind is object or issubclass(kind, type) or catches_all or of_guest:
        return f"the class {kind.__name__}"
    return ""


@pytest.mark.parametrize("name", sorted(LANGUAGES.values()))
def test_nothing_that_a_program_is_given_leads_out(name: str) -> None:
    """Not one step, and not ten: no module, no globals, no frame, no class to make others with."""
    walk = Walk()
    found = {}
    for path, value in walk.from_roots(given(Policy.named(name).language)):
        if reason := forbidden(value):
            found[path] = reason
        if type(value) in SEALED:
            names = [one for one in dir(value) if not isinstance(_of(value, one), AttributeError)]
            assert names == [], path
    assert found == {}
    assert walk.steps > 1_000


def _of(value: Any, name: str) -> Any:
    return _result(attribute, value, name)


def public(owner: Any, name: str) -> Any:
    """The guard of many a tutorial: no name that begins with an underscore, and that is all."""
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(owner, name)


WEAK: dict[str, tuple[Any, Any, set[str]]] = {
    "no underscores": (
        public, kind_of, {"formatting that reaches attributes", "the class type", "a frame"},
    ),
    "the real type": (attribute, type, {"the class type", "the class GenericAlias"}),
}  # fmt: skip


@pytest.mark.parametrize("name", WEAK)
def test_the_walk_finds_the_way_out_where_there_is_one(name: str) -> None:
    """So that the test above could fail: with weaker guards it does."""
    guard, kind, expected = WEAK[name]
    found = {forbidden(value) for _, value in Walk(guard, kind).from_roots(given(LANGUAGE))}
    assert expected <= found


@pytest.mark.parametrize("title", LANGUAGE.facades)
def test_a_facade_has_the_names_of_the_policy_and_no_others(title: str) -> None:
    """Of what else the module has (`json.codecs`, `random._os`) nothing can be had or imported."""
    facades = facades_of(LANGUAGE.facades)
    others = set(dir(importlib.import_module(title))).difference(LANGUAGE.facades[title])
    assert len(others) > 5
    importer = importer_of(facades)
    for name in others:
        assert isinstance(_of(facades[title], name), AttributeError)
        with pytest.raises(ImportError):
            importer(title, {}, {}, (name,), 0)


def test_plain_modules_would_leak() -> None:
    """Why there are facades: most of these modules have other modules among their public names."""
    leaking = {
        title
        for title in LANGUAGE.facades
        for name, value in vars(importlib.import_module(title)).items()
        if isinstance(value, ModuleType) and not name.startswith("_")
    }
    assert leaking >= {"json", "re", "statistics", "textwrap"}


def test_a_facade_cannot_be_changed() -> None:
    """Not even by whoever holds it outside the filter."""
    with pytest.raises(AttributeError, match="a module cannot be changed"):
        Facade("math", {"pi": 3}).pi = 4


@pytest.mark.parametrize(
    ("title", "name", "problem"),
    [
        ("json", "codecs", "'codecs' cannot be handed out"),
        ("json", "_default_decoder", "'_default_decoder' cannot be handed out"),
        ("io", "open", "'open' cannot be handed out"),
        ("builtins", "getattr", "'getattr' cannot be handed out"),
        ("builtins", "type", "'type' cannot be handed out"),
        ("builtins", "BaseException", "'BaseException' cannot be handed out"),
        ("operator", "attrgetter", "'attrgetter' cannot be handed out"),
        ("operator", "methodcaller", "'methodcaller' cannot be handed out"),
        ("string", "Formatter", "'Formatter' cannot be handed out"),
        ("math", "absent", "module 'math' has no attribute 'absent'"),
        ("nowhere", "x", "No module named 'nowhere'"),
    ],
)
def test_what_no_facade_gives(title: str, name: str, problem: str) -> None:
    """A slip in a policy is refused when a session is opened."""
    with pytest.raises(LanguageError) as refusal:
        facades_of({title: [name]})
    assert str(refusal.value) == f"[language.facades] {title}: {problem}"


def test_a_module_in_a_package_is_imported_as_in_python() -> None:
    """`import a.b` binds a facade of the package, which has the modules that the policy names."""
    modules = {"xml.etree.ElementTree": ["fromstring"], "os.path": ["join"], "math": ["pi"]}
    namespace: dict[str, Any] = {"__builtins__": {"__import__": importer_of(facades_of(modules))}}
    program = (
        "import os.path, xml.etree.ElementTree, xml.etree.ElementTree as tree\n"
        "from os import path\nfrom os.path import join\n"
        "one = os.path.join is path.join is join\n"
        "two = xml.etree.ElementTree is tree"
    )
    exec(program, namespace)
    assert (namespace["one"], namespace["two"]) == (True, True)
    for owner, name in (("os", "environ"), ("xml", "dom"), ("path", "os")):
        assert isinstance(_of(namespace[owner], name), AttributeError)
    for source in ("import os.environ", "from os import environ", "import math.pi", "import dom"):
        with pytest.raises(ImportError):
            exec(source, namespace)


def test_what_c_code_imports_is_there_and_a_program_gets_nothing_of_it() -> None:
    """C code gives a list of names and takes the module itself; `import` gives None or a tuple."""
    importer = importer_of({"math": Facade("math", {"pi": 3})})
    for title in guards.LATE:
        assert title in sys.modules
        assert importer(title, {}, {}, [], 0) is None
        for names in (None, (), ("time",), ("*",)):
            with pytest.raises(ImportError, match=f"module '{title}' is not available"):
                importer(title, {}, {}, names, 0)
    with pytest.raises(ImportError):
        importer("no_such_module", {}, {}, [], 0)
    given = builtins_of([], importer)
    for source in ("import time", "from time import time", "import time as t", "import math.time"):
        with pytest.raises(ImportError):
            exec(source, {"__builtins__": given})
