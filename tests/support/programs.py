"""Programs written at random from a grammar of Python, and what mutation makes of programs."""

# ruff: noqa: RUF001  (letters that look like others are what is tested)
from __future__ import annotations

import random
import re

# `<name>` stands for one of the templates of that name; the first ones hold no further symbol.
GRAMMAR: dict[str, list[str]] = {
    "name": ["obs", "items", "flag", "x", "y", "place", "i"],
    "odd": ["_x", "__class__", "eval", "printed", "self", "run", "solve", "findCup"],
    "literal": [
        "0",
        "1",
        "-1",
        "2.5",
        "None",
        "True",
        "'a b'",
        '"it\'s"',
        "b'a'",
        "'größe'",
        "...",
    ],
    "leaf": ["<name>", "<literal>", "<odd>"],
    "call": [
        *("run('look')", "run(<e>)", "find_cup(<name>, <literal>)", "len(<e>)", "<name>.strip()"),
        *("run(f'take {<name>}')", "str(<e>)", "clean(a=<e>)", "run(*<e>)", "f(**<e>)", "<e>(<e>)"),
    ],
    "e": [
        *("<leaf>", "<leaf>", "<name>", "<call>", "<call>", "<e> + <e>", "<e>[<e>]", "<e>.<name>"),
        *("<e> == <e>", "<e> in <e>", "not <e>", "-<e>", "<e> and <e>", "(<e>)", "(<e>, <e>)"),
        *(
            "[<e>, <e>]",
            "{<e>: <e>}",
            "{<e>}",
            "<e> if <e> else <e>",
            "lambda: <e>",
            "<e>[<e>:<e>]",
        ),
        *("[<e> for <name> in <e>]", "[<e> for <name> in <e> if <e>]", "(<name> := <e>)"),
        *("f'{<name>}'", "f'{<name>!r:>{<literal>}} <name>'", "lambda <name>, *a: <e>", "[*<e>]"),
        *("{**<e>}", "sum(<e> for <name> in <e>)", "<e> < <e> < <e>", "<e> ** <e>", "'a' 'b'"),
        *("await <e>", "(yield <e>)", "{<e>: <e> for <name> in <e>}"),
    ],
    "target": [
        "<name>",
        "<name>",
        "<name>, <name>",
        "<name>[<e>]",
        "<name>.<name>",
        "[<name>, *y]",
    ],
    "s": [
        *("<name> = <e>", "<name> = <call>", "<call>", "run(<e>)", "<target> = <e>", "pass"),
        *("<name> += <e>", "<name>: <e> = <e>", "x = <name> = <e>", "<e>", "assert <e>", "break"),
        *("del <target>", "import <module>", "from <module> import <name>", "global <name>"),
        *("raise ValueError(<e>)", "return <e>", "<s>; <s>", "<name> = <e>  # größe", "continue"),
        *("if <e>:<b>", "if <e>:<b>else:<b>", "if <e>:<b>elif <e>:<b>else:<b>", "while <e>:<b>"),
        *("for <target> in <e>:<b>", "for <name> in <e>:<b>", "for <name> in <e>:<b>else:<b>"),
        *("with <e> as <target>:<b>", "try:<b>except <e>:<b>", "try:<b>except:<b>finally:<b>"),
        *("try:<b>except ValueError as <name>:<b>else:<b>", "def <name>(<name>, y=<e>):<b>"),
        *("class <name>(<e>):<b>", "@<e>\ndef f():<b>", "async def f():<b>", "try:<b>finally:<b>"),
        "match <e>:\n    case [<literal>, x]:\n        pass\n    case A(x=<literal>) | None:<b>",
    ],
    "module": ["math", "json", "re", "os", "a.b", ".a"],
}
_SYMBOL = re.compile("<([a-z]+)>")
_SCRAPS = [
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'",
        '"',
        "\n",
        "    ",
        "\t",
        ":",
        ",",
        ".",
        "=",
        "\\",
        "#",
        "x",
    ),
    *(
        "lambda:",
        "not ",
        "f'{",
        "}'",
        "elif 1:",
        " for a in b",
        " if ",
        "case ",
        "*",
        ":=",
        "\x0c",
        "é",
    ),
    *(
        "\r",
        "\x00",
        "\u200b",
        "\u2028",
        "\ufeff",
        "\ud800",
        "\u202e",
        "ｒ",
        "\u0301",
        "\U000e0041",
        "0x",
    ),
]


def written(chance: random.Random, *, statements: int = 6, depth: int = 4) -> str:
    """A program of some statements; most are Python, some are ReCode."""
    count = chance.randint(1, statements)
    return "\n".join(_filled(chance, "s", chance.randint(0, depth)) for _ in range(count))


def _filled(chance: random.Random, symbol: str, depth: int) -> str:
    if symbol == "b":
        count = chance.choice([1, 1, 2])
        body = "\n".join(_filled(chance, "s", depth - 1) for _ in range(count))
        return "\n    " + body.replace("\n", "\n    ") + "\n"
    templates = GRAMMAR[symbol]
    template = chance.choice(templates if depth > 0 else templates[:3])
    return _SYMBOL.sub(lambda found: _filled(chance, found[1], depth - 1), template)


def mutated(chance: random.Random, text: str) -> str:
    """The text with parts cut, doubled, repeated many times or replaced by something else."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 0, 1, 1, 2, 5, 20]))
        part = text[start:end]
        times = chance.choice([0, 2, 2, 3, 30, 100]) if part else 1
        scrap = chance.choice(_SCRAPS) * chance.choice([1, 1, 1, 2, 50])
        text = text[:start] + (part * times if chance.random() < 0.5 else scrap) + text[end:]
    return text


def replied(chance: random.Random, program: str) -> str:
    """A program as models send it: in tags, fences, functions, with prose and slips."""
    return chance.choice(
        [
            f"<think>\nlook\n</think>\n<execute>\n{program}\n</execute>",
            f"<execute>{program}",
            f"Sure:\n```python\n{program}\n```\nDone.",
            f"<execute>\n```\n{program}\n```\n</execute>",
            f"<execute>{program}</execute><execute>{program}</execute>",
            "<execute>\ndef solve(obs):\n    " + program.replace("\n", "\n    ") + "\n</execute>",
            "    " + program.replace("\n", "\r\n    "),
            program,
        ]
    )
