"""Every construct of Python deep, long and wide: what kills parsers and compilers."""

# ruff: noqa: RUF001  (letters that look like others are what is tested)
from __future__ import annotations

import random
from collections.abc import Callable

Form = Callable[[int], str]


def nested(opening: str, middle: str, closing: str, count: int) -> str:
    """Brackets in brackets."""
    return opening * count + middle + closing * count


def blocks(head: str, count: int, tail: str = "") -> str:
    """Blocks in blocks, each with its tail."""
    opened = "".join(" " * level + head + "\n" for level in range(count))
    closed = "".join(" " * level + tail + "\n" for level in reversed(range(count)) if tail)
    return opened + " " * count + "pass\n" + closed


# Expressions; `1` in them may be any other expression.
EXPRESSIONS: dict[str, Form] = {
    "and": lambda n: "1 and " * n + "1",
    "or": lambda n: "1 or " * n + "1",
    "lambda": lambda n: "lambda: " * n + "1",
    "parameters": lambda n: "lambda " + ", ".join(f"a{i}" for i in range(n)) + ": 1",
    "lambda in a default": lambda n: "lambda a=" * n + "1" + ": 1" * n,
    "lambda in brackets": lambda n: nested("(lambda *a, b=", "1", ", **c: 1)", n),
    "defaults": lambda n: "lambda " + ", ".join(f"a{i}=1" for i in range(n)) + ": 1",
    "not": lambda n: "not " * n + "1",
    "minus": lambda n: "-" * n + "1",
    "inversion": lambda n: "~" * n + "1",
    "await": lambda n: "await " * n + "1",
    "yield": lambda n: nested("(yield ", "1", ")", n),
    "sum": lambda n: "1+" * n + "1",
    "power": lambda n: "1**" * n + "1",
    "matrix": lambda n: "1@" * n + "1",
    "shift": lambda n: "1<<" * n + "1",
    "difference in brackets": lambda n: nested("(1-", "1", ")", n),
    "comparison": lambda n: "1<" * n + "1",
    "membership": lambda n: "1 not in " * n + "1",
    "attributes": lambda n: "a" + ".b" * n,
    "calls": lambda n: "f" + "()" * n,
    "methods": lambda n: "a" + ".b(1)" * n,
    "subscripts": lambda n: "a" + "[1]" * n,
    "slices": lambda n: "a[" + ",".join(["1:1:1"] * n) + "]",
    "conditional": lambda n: "1 if 1 else " * n + "1",
    "conditional in brackets": lambda n: nested("(1 if ", "1", " else 1)", n),
    "parentheses": lambda n: nested("(", "1", ")", n),
    "lists": lambda n: nested("[", "", "]", n),
    "tuples": lambda n: nested("(", "1,", "),", n),
    "dictionaries": lambda n: nested("{1:", "1", "}", n),
    "keys": lambda n: nested("{", "1", ":1}", n),
    "sets": lambda n: nested("{", "1", "}", n),
    "unpacked": lambda n: nested("[*", "[1]", "]", n),
    "unpacked dictionaries": lambda n: nested("{**", "{}", "}", n),
    "nested calls": lambda n: nested("f(", "1", ")", n),
    "keyword calls": lambda n: nested("f(a=", "1", ")", n),
    "starred calls": lambda n: nested("f(*", "[1]", ")", n),
    "nested subscripts": lambda n: nested("f[", "1", "]", n),
    "nested comprehensions": lambda n: nested("[a for a in ", "b", "]", n),
    "comprehensions of comprehensions": lambda n: nested("[", "1", " for a in b]", n),
    "generators": lambda n: nested("(a for a in ", "b", ")", n),
    "clauses": lambda n: "[0" + " for a in b" * n + "]",
    "conditions of a clause": lambda n: "[0 for a in b" + " if a" * n + "]",
    "walrus": lambda n: nested("(x:=", "1", ")", n),
    "adjacent strings": lambda n: "''\"\"" * n,
    "adjacent bytes": lambda n: "b'' " * n,
    "adjacent strings in brackets": lambda n: "(" + "'a' # b\n" * n + ")",
    "adjacent f-strings": lambda n: "f'{a}' " * n,
    "adjacent strings in an f-string": lambda n: 'f"{' + "'a' " * n + '}"',
    "fields of an f-string": lambda n: "f'" + "{a}" * n + "'",
    "braces of an f-string": lambda n: "f'" + "{{}}" * n + "'",
    "format of an f-string": lambda n: "f'{a:" + "{b}" * n + "}'",
    "brackets in an f-string": lambda n: "f'{" + nested("(", "1", ")", n) + "}'",
    "attributes in an f-string": lambda n: "f'{a" + ".b" * n + "}'",
    "list": lambda n: "[" + "1," * n + "]",
    "pairs": lambda n: "{" + "1:1," * n + "}",
    "arguments": lambda n: "f(" + "a," * n + ")",
    "keywords": lambda n: "f(" + ",".join(f"a{i}=1" for i in range(n)) + ")",
    "decimal integer": lambda n: "9" * n,
    "hexadecimal integer": lambda n: "0x" + "f" * n,
    "binary integer": lambda n: "0b" + "1" * n,
    "underscored integer": lambda n: "1" + "_0" * n,
    "float": lambda n: "1." + "9" * n,
    "exponent": lambda n: "1e" + "9" * n,
    "imaginary": lambda n: "9" * n + "j",
    "long name": lambda n: "a" * n,
    "long string": lambda n: "'" + "a" * n + "'",
    "long bytes": lambda n: "b'" + "a" * n + "'",
    "long f-string": lambda n: "f'" + "a" * n + "{a}'",
    "long lines": lambda n: "'''" + "a\n" * n + "'''",
    "escapes": lambda n: "'" + "\\x00" * n + "'",
    "named escapes": lambda n: "'" + "\\N{BULLET}" * n + "'",
    "wide characters": lambda n: "'" + "\U0001f34e" * n + "'",
    "unicode name": lambda n: "ｒ" * n,
    "combining marks": lambda n: "a" + "\u0301" * n,
    "backslashes": lambda n: "\\\n" * n + "1",
}
STATEMENTS: dict[str, Form] = {
    "elif": lambda n: "if 1: pass\n" + "elif 1: pass\n" * n,
    "else if": lambda n: (
        "".join(f"{' ' * i}if 1: pass\n{' ' * i}else:\n" for i in range(n)) + " " * n + "pass"
    ),
    "open parentheses": lambda n: "(" * n,
    "open brackets": lambda n: "x = [{(" * n,
    "closing brackets": lambda n: ")" * n,
    "open string": lambda n: "x = '''" + "a\n" * n,
    "open f-string": lambda n: "x = f'" + '{f"' * n,
    "targets": lambda n: "x = " * n + "1",
    "unpacked targets": lambda n: "(" * n + "x" + ",)" * n + " = 1",
    "bracketed targets": lambda n: nested("[", "x", "]", n) + " = 1",
    "starred targets": lambda n: nested("[*", "x", "]", n) + " = 1",
    "parenthesised target": lambda n: nested("(", "x", ")", n) + " = 1",
    "attribute of a bracket": lambda n: nested("(", "x", ").a", n) + " = 1",
    "item of an item": lambda n: nested("x[", "1", "]", n) + " = 1",
    "call of a call": lambda n: nested("x(", "1", ").a", n) + " = 1",
    "augmented target": lambda n: nested("(", "x", ")", n) + " += 1",
    "annotated target": lambda n: nested("(", "x", ")", n) + ": int = 1",
    "loop target": lambda n: "for " + nested("(", "x", ",)", n) + " in a: pass",
    "clause target": lambda n: "x = [1 for " + nested("[", "x", "]", n) + " in a]",
    "deleted": lambda n: "del " + nested("(", "x", ",)", n),
    "manager in parentheses": lambda n: "with " + nested("(", "1", ")", n) + ": pass",
    "manager target": lambda n: "with (a as " + nested("(", "x", ",)", n) + "): pass",
    "managers in parentheses": lambda n: "with (" + "a as b, " * n + "a): pass",
    "handled": lambda n: "try: pass\nexcept " + nested("(", "1", ",)", n) + ": pass",
    "decorator in parentheses": lambda n: "@" + nested("(", "1", ")", n) + "\ndef f(): pass",
    "bases": lambda n: "class A" + nested("(", "1", ")", n) + ": pass",
    "print": lambda n: "print " + nested("(", "1", ")", n),
    "augmented": lambda n: "x += 1\n" * n,
    "nested if": lambda n: blocks("if 1:", n),
    "nested for": lambda n: blocks("for a in b:", n),
    "nested while": lambda n: blocks("while 1:", n),
    "nested with": lambda n: blocks("with a:", n),
    "nested def": lambda n: blocks("def f():", n),
    "nested class": lambda n: blocks("class A:", n),
    "nested try": lambda n: blocks("try:", n, "finally: pass"),
    "nested except": lambda n: blocks("try:", n, "except a: pass"),
    "try in finally": lambda n: (
        "".join(f"{' ' * i}try: pass\n{' ' * i}finally:\n" for i in range(n)) + " " * n + "pass"
    ),
    "nested match": lambda n: (
        "".join(f"{' ' * (2 * i)}match a:\n{' ' * (2 * i + 1)}case 1:\n" for i in range(n))
        + " " * (2 * n)
        + "pass"
    ),
    "patterns": lambda n: "match a:\n case " + nested("[", "1", "]", n) + ": pass",
    "patterns in parentheses": lambda n: "match a:\n case " + nested("(", "1", ")", n) + ": pass",
    "mappings": lambda n: "match a:\n case " + nested("{1:", "1", "|1}", n) + ": pass",
    "class patterns": lambda n: "match a:\n case " + nested("A(a=", "1", ")", n) + ": pass",
    "long patterns": lambda n: "match a:\n case ((((" + "1," * n + "),),),): pass",
    "cases": lambda n: "match a:\n" + " case (((1,),),): pass\n" * n,
    "guard": lambda n: "match a:\n case 1 if " + nested("(", "1", ")", n) + ": pass",
    "subject": lambda n: "match " + nested("(", "1", ")", n) + ":\n case 1: pass",
    "match call": lambda n: "match" + nested("(", "1", ")", n),
    "alternatives": lambda n: "match a:\n case " + "1|" * n + "1: pass",
    "tabs": lambda n: "".join("\t" * i + "if 1:\n" for i in range(n)) + "\t" * n + "pass",
    "decorators": lambda n: "@a\n" * n + "def f(): pass",
    "decorator calls": lambda n: "@" + "a()" * n + "\ndef f(): pass",
    "annotations": lambda n: "x: " + nested("a[", "1", "]", n) + " = 1",
    "statements": lambda n: "x=1;" * n,
    "lines": lambda n: "x=1\n" * n,
    "names": lambda n: "import a" + ",a" * n,
    "dots": lambda n: "import a" + ".a" * n,
    "relative": lambda n: "from " + "." * n + " import a",
    "global": lambda n: "global a" + ",a" * n,
    "delete": lambda n: "del " + "a," * n + "a",
    "managers": lambda n: "with a" + ",a" * n + ": pass",
    "except": lambda n: "try: pass\n" + "except a: pass\n" * n,
    "newlines": lambda n: "\n" * n + "x = 1",
    "comments": lambda n: "#\n" * n + "x = 1",
    "long comment": lambda n: "#" + "a" * n + "\nx = 1",
    "coding": lambda n: "# " + "coding" * n,
    "indentation": lambda n: "if 1:\n" + " " * n + "x = 1",
    "ladder": lambda n: "".join(f"if 1:\n{' ' * (i + 1)}x = 1\n" for i in range(n)),
    "spaces": lambda n: "x =" + " " * n + "1",
    "colons": lambda n: ":" * n,
    "garbage": lambda n: "\U0001f34e$" * n,
}
FORMS: dict[str, Form] = {
    **{name: lambda n, make=make: "x = " + make(n) for name, make in EXPRESSIONS.items()},  # type: ignore[misc]
    **STATEMENTS,
}
# Their text grows with the square of their size.
STEEP = {name for name in STATEMENTS if name.startswith("nested")} | {
    *("else if", "try in finally", "tabs", "ladder"),
}


def sized(name: str, size: int) -> str:
    """The form at a size, but no text of gigabytes."""
    return FORMS[name](min(size, 1_500) if name in STEEP else size)


def composed(chance: random.Random) -> str:
    """One form in another, at sizes round the limits of policies."""
    size = chance.choice([1, 2, 3, 5, 9, 20, chance.randint(40, 62), chance.randint(85, 210)])
    text = FORMS[chance.choice(list(FORMS))](size)
    for _ in range(chance.randint(0, 2)):
        inner = chance.choice(list(EXPRESSIONS.values()))(chance.choice([1, 3, 10, 30, 60]))
        text = text.replace("1", f"({inner})" if chance.random() < 0.7 else inner, 1)
    return text
