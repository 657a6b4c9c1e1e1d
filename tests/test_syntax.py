"""What the reader of replies and the grammar see alike: trees without warnings, a last `return`."""

from __future__ import annotations

import ast
import warnings

import pytest

from recode_runtime.syntax import fate_of_return, parse_quietly

WARNED = [r"x = '\d'", "x = 1if y else 2", "for x in y:\n  try: pass\n  finally: break"]


@pytest.mark.parametrize("source", WARNED)
def test_what_python_warns_of_is_not_said(source: str) -> None:
    """Nor are the filters of the process other than before."""
    before = list(warnings.filters)
    assert ast.dump(parse_quietly(source)) == ast.dump(_parsed_with_warnings(source))
    assert warnings.filters == before


def _parsed_with_warnings(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def test_text_without_any_reason_to_warn_leaves_the_filters_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They belong to the whole process, and other threads may rely on them."""
    changes: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(warnings, "simplefilter", changes.append)
        parse_quietly("x = run('look', 1)")
        assert changes == []
        parse_quietly("x = 1.5")
    assert changes == ["ignore"]


@pytest.mark.parametrize("source", ["x = (", "x = '\\N{no such}'"])
def test_what_is_no_python_is_a_syntax_error(source: str) -> None:
    """With and without the filters changed."""
    with pytest.raises(SyntaxError):
        parse_quietly(source)


NOBODY, ONE, TWO = (), ("cup",), ("cup", "room")
DROPPED = [
    *((NOBODY, one) for one in ("", "()", "obs", "1, 'a', None", "obs, (1, 2j)", "'a' 'b'", "...")),
    *((ONE, one) for one in ("", "cup", "(cup)")),
    *((TWO, one) for one in ("", "cup, room", "(cup, room)")),
]
STATED = [(NOBODY, one) for one in ("run('go')", "[obs]", "obs[0]", "f'{obs}'", "*obs, 1", "-1")]
ASSIGNED = [
    *((ONE, one) for one in ("()", "obs", "obs, 1", "'a'", "{}", "{obs}", "a < b", "lambda: 1")),
    *((TWO, one) for one in ("room, cup", "[cup, room]", "run('go')", "obs", "*obs, 1")),
]
UNFIT = [
    *("cup,", "cup, room, 1", "()", "[cup]", "*obs,"),
    *("'ab'", "b'ab'", "12", "None", "...", "f'{obs}'", "'a' 'b'"),
    *("{1: 2}", "{1, 2}", "{a: 1 for a in obs}", "{a for a in obs}", "a < b", "lambda: obs"),
]
FATES = {
    "dropped": DROPPED,
    "stated": STATED,
    "assigned": ASSIGNED,
    None: [(TWO, one) for one in UNFIT],
}


def _value(text: str) -> ast.expr | None:
    (statement,) = ast.parse(f"return {text}").body
    assert isinstance(statement, ast.Return)
    return statement.value


@pytest.mark.parametrize(
    ("fate", "outputs", "text"), [(fate, *one) for fate, some in FATES.items() for one in some]
)
def test_a_last_return_is_replaced_by_what_was_meant(
    fate: str | None, outputs: tuple[str, ...], text: str
) -> None:
    """Left out, assigned to the outputs, stated as it is; None where it cannot be what they are."""
    assert fate_of_return(_value(text), outputs, bound=outputs) == fate


def test_what_is_returned_and_not_bound_is_assigned() -> None:
    """One output that is not bound is enough; a `return` of nothing would leave it so."""
    value = _value("cup, room")
    assert fate_of_return(value, TWO, bound={"cup"}) == "assigned"
    assert fate_of_return(None, TWO, bound={"cup"}) is None
    assert fate_of_return(None, TWO, bound={"cup", "room", "obs"}) == "dropped"
