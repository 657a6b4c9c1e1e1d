"""What the compiled program calls in place of Python's own operations."""

from __future__ import annotations

import collections
import datetime
import enum
import functools
import json
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from recode_guest import guards
from recode_guest.guards import Facade, LanguageError, Primitive, Printed, attribute, kind_of
from recode_runtime.policy import Policy

PRIMITIVE = Primitive("run", lambda *_: None)


class Method:
    """A class that a facade might give, with what Python code puts into classes."""

    word = "text"

    def plain(self) -> Any:
        """A function to whoever takes it from the class."""
        return type(self)

    @property
    def made(self) -> int:
        """Made by a function, which the class gives away."""
        return 1

    @functools.cached_property
    def kept(self) -> int:
        """As `made`."""
        return 2

    @classmethod
    def of_class(cls) -> str:
        """Bound to the class."""
        return cls.__name__


def test_every_builtin_of_the_default_policy_can_be_given() -> None:
    """And the set is a fresh one for each session."""
    names = Policy.named("strict").language.builtins
    one, two = (guards.builtins_of(names, print) for _ in range(2))
    assert one is not two
    assert set(one) == {*names, "__import__"}


@pytest.mark.parametrize("name", ["open", "eval", "getattr", "BaseException", "__build_class__"])
def test_no_policy_gives_what_leads_out(name: str) -> None:
    """A slip in a policy is refused when a session is opened."""
    with pytest.raises(LanguageError, match=f"the guest does not give '{name}'"):
        guards.builtins_of([name], print)


async def _agen() -> Any:
    yield 1


CLOSED: list[tuple[Any, str]] = [
    ("", "__class__"), ((), "_x"), (int, "mro"), (list[int], "append"), (int | str, "x"),
    ("", "format"), ("", "format_map"), (str, "format"), (str, "format_map"),
    (type("S", (str,), {}), "format"), (type("S", (str,), {})(), "format"),
    ((x for x in ()), "gi_frame"), ((x for x in ()), "gi_yieldfrom"), (_agen(), "ag_frame"),
    (_agen(), "asend"), (sys._getframe(), "f_lineno"), (compile("1", "", "eval"), "co_consts"),
    (PRIMITIVE, "name"), (PRIMITIVE, "anything"), (Printed(1, 1), "write"), (re, "match"),
    (kind_of, "x"), (print, "x"), ([].append, "x"), (Method().plain, "x"), (lambda: 0, "x"),
    (Facade("m", {}), "_names"), (Facade("m", {}), "absent"), (Facade("m", {"os": re}), "os"),
    (SimpleNamespace(os=re), "os"), (Method, "plain"), (Method, "made"), (Method, "kept"),
    (collections.Counter, "copy"), (int, "real"), (AttributeError, "obj"), (1, "absent"),
    (AttributeError("x", name="y", obj=re), "obj"),
]  # fmt: skip


@pytest.mark.parametrize(("owner", "name"), CLOSED, ids=range(len(CLOSED)))
def test_attributes_lead_to_data_and_methods_only(owner: Any, name: str) -> None:
    """No underscore, frame, mro or format; of a class no function that would take any object."""
    with pytest.raises(AttributeError):
        attribute(owner, name)


OPEN: list[tuple[Any, str, Any]] = [
    ("a", "upper", "A"), ([1], "copy", [1]), (collections.Counter("aab"), "most_common", None),
    (dict, "fromkeys", None), (str, "upper", None), (Method, "of_class", "Method"),
    (collections.Counter("a"), "copy", {"a": 1}), (datetime.date(2024, 5, 1), "ctime", None),
    (re.compile("a"), "scanner", None), (re.match("(a)", "a"), "groups", ("a",)),
    ({1: 2}.keys().mapping, "copy", {1: 2}), ((x for x in [1]), "close", None),
    (Facade("m", {"f": lambda: 7}), "f", 7), (Facade("m", {"format": lambda: 8}), "format", 8),
]  # fmt: skip


@pytest.mark.parametrize(("owner", "name", "result"), OPEN, ids=range(len(OPEN)))
def test_methods_can_be_called(owner: Any, name: str, result: Any) -> None:
    """Those of objects, and of classes those that look themselves at what they are given."""
    method = attribute(owner, name)
    if result is not None:
        assert method() == result


def test_data_can_be_read() -> None:
    """Of objects and of classes."""
    assert attribute(Method, "word") == "text"
    assert attribute(datetime.timezone, "utc") is datetime.UTC
    assert attribute(ValueError("x"), "args") == ("x",)
    assert attribute(range(3), "stop") == 3
    assert attribute(SimpleNamespace(a=1), "a") == 1
    assert attribute(AttributeError("x", name="y", obj=re), "name") == "y"


def test_the_name_of_an_attribute_is_exactly_a_text() -> None:
    """One that answers differently each time would pass the check."""

    class Name(str):
        pass

    with pytest.raises(AttributeError):
        attribute("", Name("upper"))


def test_formatting_is_by_f_strings() -> None:
    """The message says so."""
    with pytest.raises(AttributeError) as refusal:
        attribute("{0.real}", "format")
    assert str(refusal.value) == "str.format() is not available; write an f-string"


class Colour(enum.Enum):
    """A class with a metaclass."""

    RED = 1


def _undecoded() -> Exception:
    try:
        b"\xff".decode()
    except UnicodeDecodeError as problem:
        return problem
    raise AssertionError


def test_type_gives_classes_that_a_module_names() -> None:
    """Also those of exceptions and of what facades give."""
    values: dict[Any, type] = {
        1: int, None: type(None), ...: type(...), KeyError("x"): KeyError, range(1): range,
        json.JSONDecodeError("", "", 0): json.JSONDecodeError, datetime.UTC: datetime.timezone,
        re.compile(""): re.Pattern, PermissionError(): PermissionError,
    }  # fmt: skip
    for value, kind in values.items():
        assert kind_of(value) is kind
    assert kind_of(collections.Counter()) is collections.Counter


MADE_OF = [
    *(kind_of, print, PRIMITIVE, Facade("m", {}), [].append, Method().plain, (x for x in ())),
    *(list[int], int | str, {}.keys().mapping, {}.keys(), iter([]), str.upper, re, Colour.RED),
    *(re.DOTALL, _undecoded(), UnicodeEncodeError("ascii", "", 0, 0, ""), datetime.date.year),
]


@pytest.mark.parametrize("value", MADE_OF, ids=range(len(MADE_OF)))
def test_type_gives_no_way_to_make_anything_else(value: Any) -> None:
    """Not what functions, methods and aliases are made with, nor what has another metaclass."""
    with pytest.raises(TypeError, match=r"^the type of a .* is not available$"):
        kind_of(value)


def test_type_of_a_type_is_type() -> None:
    """One argument only, and never a metaclass."""
    for kind in (int, Colour, ValueError):
        assert kind_of(kind) is kind_of
    assert guards.is_instance(int, kind_of)
    assert guards.is_instance(kind_of, kind_of)
    assert guards.is_instance(1, (str, (int, kind_of)))
    assert not guards.is_instance(1, kind_of)
    with pytest.raises(TypeError):
        kind_of("X", (), {})


def test_only_containers_of_the_programs_own_are_written_to() -> None:
    """By exact type; and the target is evaluated once."""
    for value in ({}, [], collections.Counter(), collections.deque(), collections.OrderedDict()):
        assert guards.writable(value) is value
    for value in (type("D", (dict,), {})(), Facade("m", {}), "", Method, {}.keys().mapping, run):
        with pytest.raises(TypeError, match="does not support item assignment"):
            guards.writable(value)
        with pytest.raises(TypeError, match="does not support item assignment"):
            guards.in_place_item("+=", value, 0, 1)
    items = [1, [2]]
    guards.in_place_item("+=", items, 1, [3])
    guards.in_place_item("*=", items, 0, 5)
    assert items == [5, [2, 3]]


def run() -> None:
    """Something that is not a container."""


def test_print_writes_to_one_place() -> None:
    """`file` is refused; text is kept up to the cap."""
    printed = Printed(5, 5)
    with pytest.raises(TypeError, match="leave file out"):
        printed._call_print("x", file=printed)
    printed._call_print("abc", end="", flush=True)
    assert printed() == "abc"
    printed._call_print("é", end="")
    assert printed.take() == "abcé"
    printed._call_print("abcdé")
    assert printed.take() == "abcd\n[cut: the program printed more than 5 bytes]\n"


def test_a_primitive_has_a_name_and_nothing_else() -> None:
    """Equal to itself alone; what it shows of itself is the name."""
    other = Primitive("run", lambda *_: None)
    assert (repr(PRIMITIVE), hash(PRIMITIVE) == hash(other)) == ("<primitive run>", True)
    assert {PRIMITIVE: 1, other: 2} == {other: 2, PRIMITIVE: 1}
    assert not hasattr(PRIMITIVE, "__globals__")
    assert not hasattr(PRIMITIVE, "__dict__")
