"""What the compiled program calls in place of Python's own operations."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

from recode_guest import guards
from recode_guest.guards import Facade, Primitive, Printed, attribute, kind_of
from recode_runtime.policy import Policy


def test_no_facade_of_the_default_policy_leads_to_a_module() -> None:
    """Neither a listed name nor any public attribute of one is a module object."""
    facades = guards.facades_of(Policy.named("strict").language.facades)
    for title, names in Policy.named("strict").language.facades.items():
        for name in names:
            value = attribute(facades[title], name)
            assert not isinstance(value, ModuleType)
            public = [one for one in dir(value) if not one.startswith("_")]
            modules = [one for one in public if isinstance(getattr(value, one), ModuleType)]
            assert modules == [], f"{title}.{name}"


def test_every_builtin_of_the_default_policy_can_be_given() -> None:
    """And the set is a fresh one for each session."""
    names = Policy.named("strict").language.builtins
    one, two = (guards.builtins_of(names, print) for _ in range(2))
    assert one is not two
    assert set(one) == {*names, "__import__"}


def test_attributes_lead_to_data_and_methods_only() -> None:
    """No underscore, no frame, no mro, no format, nothing of a primitive."""
    primitive = Primitive("run", lambda *_: None)
    generator = (x for x in ())
    for owner, name in (
        ("", "__class__"), ((), "_x"), (generator, "gi_frame"), (int, "mro"), ("", "format"),
        (str, "format_map"), (primitive, "name"), (Printed(1), "write"),
        (Facade("m", {}), "_names"),
        (Facade("m", {"os": re}), "os"), (1, "absent"),
    ):  # fmt: skip
        with pytest.raises(AttributeError):
            attribute(owner, name)

    class Name(str):
        pass

    with pytest.raises(AttributeError):
        attribute("", Name("upper"))
    assert attribute("a", "upper")() == "A"


def test_type_gives_no_way_to_make_classes_or_functions() -> None:
    """One argument only, and never a metaclass or the class of something callable."""
    assert kind_of(1) is int
    assert kind_of(int) is kind_of
    assert guards.is_instance(int, kind_of)
    assert guards.is_instance(1, (str, int))
    for value in (kind_of, print, Primitive("run", print), [].append, (x for x in ())):
        with pytest.raises(TypeError, match="the type of a function is not available"):
            kind_of(value)
    with pytest.raises(TypeError):
        kind_of("X", (), {})


def test_a_facade_cannot_be_changed() -> None:
    """Not even by whoever holds it outside the filter."""
    with pytest.raises(AttributeError, match="a module cannot be changed"):
        Facade("math", {"pi": 3}).pi = 4


def test_what_c_code_imports_is_there_and_a_program_gets_nothing_of_it() -> None:
    """C code gives a list of names and takes the module itself; `import` gives None or a tuple."""
    importer = guards.importer_of({"math": Facade("math", {"pi": 3})})
    for module in guards.PRELOADED:
        title = module.__name__
        assert importer(title, {}, {}, [], 0) is None
        for names in (None, (), ("time",), ("*",)):
            with pytest.raises(ImportError, match=f"module '{title}' is not available"):
                importer(title, {}, {}, names, 0)
    with pytest.raises(ImportError):
        importer("no_such_module", {}, {}, [], 0)
    given = guards.builtins_of([], importer)
    for source in ("import time", "from time import time", "import time as t", "import math.time"):
        with pytest.raises(ImportError):
            exec(source, {"__builtins__": given})


def test_print_writes_to_one_place() -> None:
    """`file` is refused; text is kept up to the cap."""
    printed = Printed(5)
    with pytest.raises(TypeError, match="leave file out"):
        printed._call_print("x", file=printed)
    printed._call_print("abc", end="", flush=True)
    assert printed() == "abc"
    printed._call_print("é", end="")
    assert printed.take() == "abcé"
    printed._call_print("abcdé")
    assert printed.take() == "abcd\n[cut: the program printed more than 5 bytes]\n"
