"""Programs of the subset, written by hypothesis: every construct, nested, with colliding names.

Most names that are read are bound, and most programs are inside the grammar; some of what it
refuses is written too. A program is text of at most a few dozen lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st

PRIMITIVES = ("run", "go")
VARIABLES = ("obs", "items", "flag")
_BUILTINS = ("len", "print", "sorted", "range", "str", "sum")
_PLACEHOLDERS = ("find_cup", "tidy", "make_tea", "open_door")
_LOCALS = ("a", "b", "cup", "tidy", "e", "act")  # one may be a placeholder before it is bound
_COLLIDING = ("run", "len", "math", "find_cup", "open", "_x", "_")
_EXCEPTIONS = ("ValueError", "Exception", "(KeyError, ValueError)", "LookupError")
_OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "@", "<<", ">>", "&", "|", "^")
_COMPARISONS = ("<", "<=", "==", "!=", "is", "is not", "in", "not in")
_DEPTH = 3
_T = TypeVar("_T")


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of one program, without a final newline."""
    writer = _Writer(draw)
    return "\n".join(line for _ in range(writer.number(1, 8)) for line in writer.statement(0))


class _Writer:
    """Writes one program; `bound` is about what is bound at this point of it."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._bound = list(VARIABLES)
        self._loops = 0

    # Choices

    def number(self, least: int, most: int) -> int:
        """A number; the smaller the simpler."""
        return self._draw(st.integers(least, most))

    def one(self, choices: Sequence[_T]) -> _T:
        """One of several; the first is the simplest."""
        return choices[self.number(0, len(choices) - 1)]

    def seldom(self) -> bool:
        """True about once in twelve."""
        return self.number(0, 11) == 11

    # Names

    def binding(self) -> str:
        """A name that is bound from here on."""
        name = self.one(_COLLIDING) if self.seldom() and self.seldom() else self.one(_LOCALS)
        self._bound.append(name)
        return name

    def reading(self) -> str:
        """A name that is read."""
        if self.seldom() and self.seldom():
            return self.one((*_LOCALS, *_COLLIDING))
        return self._bound[-1 - self.number(0, len(self._bound) - 1)]

    def called(self) -> str:
        """A name that is called inside an expression."""
        if self.seldom():
            return self.one((*_PLACEHOLDERS, *_COLLIDING, *_LOCALS))
        return self.one((*PRIMITIVES, *_BUILTINS, self.reading()))

    # Expressions

    def expression(self, depth: int = _DEPTH) -> str:
        """Any expression, in brackets where it needs them."""
        simple: list[Callable[[int], str]] = [self._name, self._literal]
        nested = [
            *(
                self._call,
                self._call,
                self._call,
                self._call,
                self._attribute,
                self._item,
                self._operation,
                self._unary,
            ),
            *(self._comparison, self._either, self._ternary, self._lambda, self._comprehension),
            *(self._mapping, self._generator, self._walrus, self._text, self._display),
            self._method,
        ]
        return self.one(simple * 4 + nested if depth > 0 else simple)(depth - 1)

    def _name(self, _: int) -> str:
        return self.reading()

    def _literal(self, _: int) -> str:
        return self.one(("1", "'a'", "None", "True", "2.5", "b'x'", "...", "()", "[]", "{}"))

    def _call(self, depth: int) -> str:
        return f"{self.called()}({self._arguments(depth)})"

    def _arguments(self, depth: int) -> str:
        forms = ("{}", "k={}", "*{}", "**{}")
        wanted = sorted(self.number(0, 7) for _ in range(self.number(0, 2)))
        kinds = [forms[max(0, one - 4)] for one in wanted]
        unique = [one for at, one in enumerate(kinds) if one == "{}" or one not in kinds[:at]]
        return ", ".join(one.format(self.expression(depth)) for one in unique)

    def _attribute(self, depth: int) -> str:
        return f"{self.expression(depth)}.{self._label()}"

    def _label(self) -> str:
        return self.one(("text", "find_cup", "_x")) if self.seldom() else "text"

    def _method(self, depth: int) -> str:
        base = self.one((*_PLACEHOLDERS, "e")) if self.seldom() else self.reading()
        between = self.one(("", "[0]", ".text"))
        return f"{base}{between}.{self._label()}({self._arguments(depth)})"

    def _item(self, depth: int) -> str:
        inner = self.expression(depth)
        return f"{self.reading()}[{self.one((inner, f'{inner}:', f':{inner}:2', f'{inner}, 1'))}]"

    def _operation(self, depth: int) -> str:
        return f"({self.expression(depth)} {self.one(_OPERATORS)} {self.expression(depth)})"

    def _unary(self, depth: int) -> str:
        return f"({self.one(('-', 'not ', '~', '+'))}{self.expression(depth)})"

    def _comparison(self, depth: int) -> str:
        parts = [f" {self.one(_COMPARISONS)} {self.reading()}" for _ in range(self.number(1, 2))]
        return f"({self.expression(depth)}{''.join(parts)})"

    def _either(self, depth: int) -> str:
        word = self.one((" and ", " or "))
        return f"({word.join(self.expression(depth) for _ in range(self.number(2, 3)))})"

    def _ternary(self, depth: int) -> str:
        parts = [self.expression(depth) for _ in range(3)]
        return "({} if {} else {})".format(*parts)

    def _inside(self, names: Sequence[str], write: Callable[[], str]) -> str:
        """What is written where some names are bound, and forgotten after."""
        before = len(self._bound)
        self._bound += names
        text = write()
        del self._bound[before : before + len(names)]
        return text

    def _lambda(self, depth: int) -> str:
        names = self.one(((), ("a",), ("a", "b"), ("one",)))
        marks = self.one((", ".join(names), ", ".join((*names, "*rest")), "")) if names else ""
        body = self._inside(names if marks else (), lambda: self.expression(depth))
        called = f"({self._arguments(depth)})" if self.seldom() else ""
        return f"(lambda {marks}: {body}){called}"

    def _clauses(self, depth: int, target: str) -> str:
        source = self.expression(depth)
        names = target.split(", ")
        tests = [
            f" if {self._inside(names, lambda: self.expression(depth))}"
            for _ in range(self.number(0, 1))
        ]
        return f"for {target} in {source}{''.join(tests)}"

    def _comprehension(self, depth: int) -> str:
        left, right = self.one(("[]", "{}"))
        target = self.one(("one", "a", "one, two"))
        clauses = self._clauses(depth, target)
        body = self._inside(target.split(", "), lambda: self.expression(depth))
        return f"{left}{body} {clauses}{right}"

    def _mapping(self, depth: int) -> str:
        clauses = self._clauses(depth, "one, two")
        body = self._inside(("one", "two"), lambda: self.expression(depth))
        return f"{{one: {body} {clauses}}}"

    def _generator(self, depth: int) -> str:
        clauses = self._clauses(depth, "one")
        body = self._inside(("one",), lambda: self.expression(depth))
        return f"{self.one(('sum', 'run', 'sorted'))}({body} {clauses})"

    def _walrus(self, depth: int) -> str:
        value = self.expression(depth)
        return f"({self.binding()} := {value})"

    def _text(self, depth: int) -> str:
        inner = self.one((self.reading(), f"len({self.reading()})"))
        return f"f'a {{{inner}{self.one(('', '!r', ':>3', '='))}}}'"

    def _display(self, depth: int) -> str:
        first, second = self.expression(depth), self.expression(depth)
        forms = (
            "({}, {})",
            "[{}, {}]",
            "{{{}, {}}}",
            "{{{}: {}}}",
            "[*{}, {}]",
            "{{**{}, 'k': {}}}",
        )
        return self.one(forms).format(first, second)

    # Statements

    def statement(self, level: int) -> list[str]:
        """The lines of one statement, indented."""
        top = [self._placeholder] * 8 if level == 0 else []
        plain: list[Callable[[int], list[str]]] = [
            *(self._assignment, self._assignment, self._expression, self._expression),
            *(self._augmented, self._annotated, self._unpacking, self._deletion, self._other),
            self._import,
        ]
        blocks = [self._if, self._for, self._while, self._try, self._with] if level < _DEPTH else []
        if self.seldom() and self.seldom():
            plain = [self._outside]
        lines = self.one([*plain, *top, *blocks])(level)
        return ["    " * level + line for line in lines]

    def _placeholder(self, _: int) -> list[str]:
        arguments = [
            self.one((self.reading(), "1", "'a'", "[1]")) for _ in range(self.number(0, 2))
        ]
        keyword = [f"item={self.reading()}"] if self.seldom() else []
        name = self.one((*_PLACEHOLDERS, *_LOCALS, self.reading()))
        outputs = ", ".join(dict.fromkeys(self.binding() for _ in range(self.number(0, 2))))
        call = f"{name}({', '.join([*arguments, *keyword])})"
        return [f"{outputs} = {call}" if outputs else call]

    def _assignment(self, _: int) -> list[str]:
        value = self.expression()
        target = f"{self.reading()}[{self.expression(1)}]" if self.seldom() else self.binding()
        return [f"{target} = {value}"]

    def _expression(self, _: int) -> list[str]:
        return [self.expression()]

    def _augmented(self, _: int) -> list[str]:
        value, operator = self.expression(2), self.one(_OPERATORS)
        target = self.one((self.reading(), f"{self.reading()}[0]", f"{self.reading()}.text"))
        return [f"{target} {operator}= {value}"]

    def _annotated(self, _: int) -> list[str]:
        value = f" = {self.expression(2)}" if self.number(0, 3) else ""
        return [f"{self.binding()}: {self.one(('int', 'nowhere', 'list[str]'))}{value}"]

    def _unpacking(self, _: int) -> list[str]:
        value = self.expression(2)
        names = [self.binding() for _ in range(2)]
        forms = (
            "{}, {} = {}",
            "{}, *{} = {}",
            "[{}, {}] = {}",
            "{} = {} = {}",
            "({}, (x, {})) = {}",
        )
        return [self.one(forms).format(*names, value)]

    def _deletion(self, _: int) -> list[str]:
        return [f"del {self.one((self.reading(), f'{self.reading()}[0]'))}"]

    def _other(self, _: int) -> list[str]:
        loop = ("break", "continue") if self._loops else ()
        value = self.expression(2)
        return [self.one(("pass", f"assert {value}", f"raise ValueError({value})", *loop))]

    def _import(self, _: int) -> list[str]:
        module = self.one(("math", "json", "math as m", "os")) if self.seldom() else "math"
        self._bound.append(module.split(" as ")[-1])
        if self.number(0, 2) == 2:
            name = self.binding()
            return [f"from math import sqrt as {name}"]
        return [f"import {module}"]

    def _body(self, level: int) -> list[str]:
        return [line for _ in range(self.number(1, 2)) for line in self._indented(level)]

    def _indented(self, level: int) -> list[str]:
        lines = self.statement(level + 1)
        return [line[4 * level :] for line in lines]

    def _if(self, level: int) -> list[str]:
        lines = [f"if {self.expression(2)}:", *self._body(level)]
        if self.number(0, 3) == 3:
            lines += [f"elif {self.expression(1)}:", *self._body(level)]
        return [*lines, "else:", *self._body(level)] if self.number(0, 1) else lines

    def _looped(self, head: str, level: int) -> list[str]:
        self._loops += 1
        lines = [head, *self._body(level)]
        self._loops -= 1
        return [*lines, "else:", *self._body(level)] if self.seldom() else lines

    def _for(self, level: int) -> list[str]:
        source = self.expression(2)
        targets = [self.binding() for _ in range(self.number(1, 2))]
        return self._looped(f"for {', '.join(targets)} in {source}:", level)

    def _while(self, level: int) -> list[str]:
        return self._looped(f"while {self.expression(2)}:", level)

    def _try(self, level: int) -> list[str]:
        lines = ["try:", *self._body(level)]
        if self.number(0, 4) < 4:
            named = f" as {self.binding()}" if self.number(0, 1) else ""
            lines += [f"except {self.one(_EXCEPTIONS)}{named}:", *self._body(level)]
            if self.seldom():
                lines += ["else:", *self._body(level)]
            if not self.seldom():
                return lines
        return [*lines, "finally:", *self._body(level)]

    def _with(self, level: int) -> list[str]:
        source = self.expression(1)
        named = f" as {self.binding()}" if self.number(0, 1) else ""
        return [f"with {source}{named}:", *self._body(level)]

    def _outside(self, level: int) -> list[str]:
        """What the language does not have."""
        body = self._body(level)
        name = self.binding()
        return self.one(
            [
                [f"def {name}(a):", *body],
                [f"class {name}:", *body],
                [f"match {self.reading()}:", f"    case {name}:", *(f"    {one}" for one in body)],
                ["try:", "    pass", "except* ValueError:", *body],
                [f"global {name}"],
                ["return"],
                [f"{self.reading()}.text = 1"],
                ["async with obs:", *body],
                [f"{name} = yield"],
                ["from math import *"],
                ["try:", "    pass", "except:", *body],
                [f"{name} = await obs"],
            ]
        )
