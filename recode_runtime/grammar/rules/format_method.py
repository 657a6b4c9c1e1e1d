"""RC208."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import ClassVar

import libcst

from recode_runtime.errors import Level
from recode_runtime.grammar.rewriting import is_shown
from recode_runtime.grammar.rule import Case, Cases, Context, Rewrite, Rule

# A literal whose text means the same in a template and in an f-string: no prefix, and no escape
# that could write a brace.
_TEMPLATE = re.compile(r"""(?P<quote>["'])(?P<body>(?:[^\\\n]|\\[nt'"\\])*)(?P=quote)""")
# What stands between the braces of an f-string as it is, before Python 3.12.
_FITTING = (libcst.Name, libcst.Attribute, libcst.Subscript, libcst.Call, libcst.Integer)
_UNFIT = re.compile(r"[\\{}#\n!]")
_CONVERSIONS = (None, "r", "s", "a")


class FormatMethod(Rule):
    """Text is formatted by a method.

    ## What it does
    Refuses the methods `format` and `format_map`: called, passed on, or kept. The builtin `format`
    and f-strings are free.

    ## Why
    A field like `{0.__class__}` reads attributes by their names in a text, behind every rule about
    names, so the sandbox has no such method. An f-string says the same as code, which is judged.

    ## Example
        text = 'take {} from {}'.format(item, place)

    ## Use instead
        text = f'take {item} from {place}'
    """

    code = "RC208"
    title = "format method"
    advice = "write an f-string"
    in_words = "Write f-strings; text has no methods `format` and `format_map`."
    VALID: ClassVar[Cases] = {
        "f-string": "text = f'{obs.name} {items[0]:>{3}}'",
        "builtin": "text = format(3.14, '.1f')",
        "dates": "import datetime\ntext = datetime.date(2024, 1, 1).isoformat()",
    }
    INVALID: ClassVar[Cases] = {
        "plain fields": Case("text = '{} {}'.format(obs, flag)", "text = f'{obs} {flag}'"),
        "numbers, widths and conversions": Case(
            "text = '{0!r:>9}, {1:.3f}'.format(obs, items[0])",
            "text = f'{obs!r:>9}, {items[0]:.3f}'",
        ),
        "named": Case(
            "run('put {item} on {place}'.format(item=obs, place=flag))",
            "run(f'put {obs} on {flag}')",
        ),
        "twice": Case("text = '{0} {0}'.format(obs)", "text = f'{obs} {obs}'"),
        "names in another order": Case(
            "text = '{b} {a}'.format(a=obs, b=flag)", "text = f'{flag} {obs}'"
        ),
        "escapes and braces": Case(
            "text = 'it\\'s {{{}}}\\n'.format(obs)", "text = f'it\\'s {{{obs}}}\\n'"
        ),
        "other quotes": Case("text = \"{}\".format(items['a'])", "text = f\"{items['a']}\""),
        "with an effect": Case("run('{} {}'.format(obs, run('a')))"),
        "the same quotes": "text = '{}'.format(items['a'])",
        "effects in another order": 'text = "{1} {0}".format(run(obs), run(flag))',
        "twice, with an effect": "text = '{0} {0}'.format(run(obs))",
        "an effect behind what may fail": "text = '{:d} {}'.format(obs, run(flag))",
        "an effect on what is shown before": "text = '{} {}'.format(items, items.pop())",
        "an item that may be made": "text = '{} {}'.format(items, items[obs])",
        "an effect on what is shown behind": Case(
            "text = '{} {}'.format(items.pop(), items)", "text = f'{items.pop()} {items}'"
        ),
        "no such conversion": "text = '{!x}'.format(obs)",
        "its own text is shown": "text = f\"{'{}'.format(obs)=}\"",
        "in parentheses, with a comment": Case(
            "text = (\n    '{}'.format(obs)  # seen\n)", "text = (\n    f'{obs}'  # seen\n)"
        ),
        "a value that is not shown": "text = '{}'.format(obs, run(flag))",
        "no such value": "text = '{}'.format()",
        "fields of two kinds": "text = '{} {0}'.format(obs)",
        "attribute": "text = '{0.name}'.format(obs)",
        "item": "text = 'first: {[0]}'.format(items)",
        "width from a value": "text = '{:{}}'.format(obs, 3)",
        "starred": "text = '{} {}'.format(*items)",
        "not a template at all": "text = '{'.format(obs)",
        "pieces side by side": "text = ('{0' '.name}').format(obs)",
        "braces written otherwise": "text = '\\x7b\\x7d'.format(obs)",
        "of a variable": "text = obs.format(flag)",
        "of an attribute": "text = obs.name.format(flag)",
        "format_map": "text = '{obs}'.format_map({'obs': obs})",
        "of the class": "text = str.format(obs, items)",
        "passed on": "texts = list(map(str.format, items))",
        "kept": "show = '{}'.format",
    }

    def __init__(self, context: Context, level: Level) -> None:
        super().__init__(context, level)
        self._said: set[libcst.CSTNode] = set()

    def visit_Call(self, node: libcst.Call) -> None:
        """A template that is filled in at once; where it is simple, an f-string says the same."""
        func = node.func
        if isinstance(func, libcst.Attribute) and func.attr.value == "format":
            text = _as_f_string(node, func.value)
            shown = bool(text) and is_shown(self.context.scene, node)
            what = "the format method was written as an f-string"
            rewrite = Rewrite(what, lambda: {node: _parsed(text, node)})
            self._say(func, rewrite if text and not shown else None)

    def visit_Attribute(self, node: libcst.Attribute) -> None:
        """The method wherever it stands."""
        if node.attr.value in ("format", "format_map") and node not in self._said:
            self._say(node, None)

    def _say(self, node: libcst.Attribute, rewrite: Rewrite | None) -> None:
        self._said.add(node)
        self.report(node, f"text has no method {node.attr.value} here", rewrite=rewrite)


def _parsed(text: str, call: libcst.Call) -> libcst.BaseExpression:
    """An f-string with the parentheses of what it replaces."""
    return libcst.parse_expression(text).with_changes(lpar=call.lpar, rpar=call.rpar)


class _Different(Exception):
    """An f-string would not mean the same for certain."""


def _as_f_string(call: libcst.Call, template: libcst.BaseExpression) -> str:
    """The f-string for a call of `format`; empty where it could mean something else."""
    if not isinstance(template, libcst.SimpleString) or template.lpar:
        return ""
    found = _TEMPLATE.fullmatch(template.value)
    if not found:
        return ""
    try:
        text = _filled(found["body"], _values(call))
    except (_Different, ValueError, KeyError):  # no template, or no value for a field
        return ""
    quote = found["quote"]
    return "" if quote in text.replace(f"\\{quote}", "") else f"f{quote}{text}{quote}"


def _values(call: libcst.Call) -> dict[str, libcst.BaseExpression]:
    """The values by the names that fields have for them."""
    if any(one.star for one in call.args):
        raise _Different
    return {
        one.keyword.value if one.keyword else str(number): one.value
        for number, one in enumerate(call.args)
    }


def _filled(template: str, values: Mapping[str, libcst.BaseExpression]) -> str:
    pieces = list(Formatter().parse(template))
    names = [name for _, name, _, _ in pieces if name is not None]
    fields = [str(number) for number in range(len(names))] if not any(names) else names
    if not all(fields) or not _same_effects(fields, values):
        raise _Different
    left = iter(fields)
    return "".join(
        literal.replace("{", "{{").replace("}", "}}")
        + ("" if name is None else _field(values[next(left)], spec or "", conversion))
        for literal, name, spec, conversion in pieces
    )


def _same_effects(fields: Sequence[str], values: Mapping[str, libcst.BaseExpression]) -> bool:
    """Whether what may act or fail is evaluated once each and in the order of the call.

    An f-string shows each value before it evaluates the next: so a call comes first, or what it
    changes would be shown as it was, and what cannot be shown would end the program before it. An
    item that is missing may be put into a dictionary by asking for it.
    """
    acting = [name for name, value in values.items() if not isinstance(value, libcst.Name)]
    codes = [_written(values[name]) for name in fields]
    late = any(
        "(" in code or ("[" in code and code.partition("[")[0] in codes[:number])
        for number, code in enumerate(codes)
        if number
    )
    return [name for name in fields if name in acting] == acting and not late


def _field(value: libcst.BaseExpression, spec: str, conversion: str | None) -> str:
    code = _written(value)
    fits = isinstance(value, _FITTING) and conversion in _CONVERSIONS
    if not fits or _UNFIT.search(code) or _UNFIT.search(spec):
        raise _Different
    return f"{{{code}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}}}"


def _written(value: libcst.BaseExpression) -> str:
    return libcst.Module([]).code_for_node(value)
