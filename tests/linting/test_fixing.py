"""Files mended in place, or shown as a diff."""

from __future__ import annotations

import shutil
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from checked import checked, written
from command_line import RECODE, UNPRIVILEGED, Answer
from parts import REQUIRED
from recode_runtime.grammar import ALL_RULES, Case
from recode_runtime.linting.fixing import differences
from recode_runtime.linting.summary import harmless
from recode_runtime.linting.text import Text

BAD = "x = lookUp(1)\ny = findIt(x)\n"
GOOD = "x = look_up(1)\ny = find_it(x)\n"


def test_fix_mends_and_says_what_is_left(tmp_path: Path) -> None:
    """The findings are those of the mended file, at its lines."""
    written(tmp_path, {"plan.py": BAD + "for a in b:\n    put(a)\n"})
    answer = checked(tmp_path, "plan.py", "--fix", "--output-format", "concise", "--variable", "b")
    assert answer == Answer(
        1,
        "plan.py:4:5: RC110 the placeholder put stands in a loop\n"
        "2 repairs made. Found 1 error; 1 program in 1 file checked.\n",
        "",
    )
    assert (tmp_path / "plan.py").read_text() == GOOD + "for a in b:\n    put(a)\n"


def test_when_all_is_mended_the_exit_code_is_0(tmp_path: Path) -> None:
    """And a second time nothing is done."""
    written(tmp_path, {"plan.py": BAD})
    assert checked(tmp_path, "plan.py", "--fix").out == (
        "2 repairs made. All is well: 1 program in 1 file checked.\n"
    )
    assert checked(tmp_path, "plan.py", "--fix") == Answer(
        0, "All is well: 1 program in 1 file checked.\n", ""
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BAD.replace("\n", "\r\n"), GOOD.replace("\n", "\r\n")),
        ("y = 1\r\nz = 1\n" + BAD, "y = 1\r\nz = 1\n" + GOOD),
        (BAD.rstrip("\n"), GOOD.rstrip("\n")),
        ("\ufeff" + BAD, "\ufeff" + GOOD),
        (BAD.replace("\n", "\r\n", 1), GOOD.replace("\n", "\r\n", 1)),
        ("y = 1\r\nz = 1\r\nf(y); f(z)\n", "y = 1\r\nz = 1\r\nf(y)\nf(z)\r\n"),
        ("y = 1\r\nf(y); f(y)", "y = 1\r\nf(y)\r\nf(y)"),
    ],
)
def test_line_ends_and_marks_stay(tmp_path: Path, before: str, after: str) -> None:
    """Only the mended lines change, and each ends as it did."""
    written(tmp_path, {"plan.py": before})
    checked(tmp_path, "plan.py", "--fix")
    assert (tmp_path / "plan.py").read_bytes() == after.encode()


def test_mode_and_links_stay(tmp_path: Path) -> None:
    """A link is followed and remains a link; no other file is left behind."""
    written(tmp_path, {"real.py": BAD})
    (tmp_path / "real.py").chmod(0o750)
    (tmp_path / "link.py").symlink_to("real.py")
    checked(tmp_path, "link.py", "--fix")
    assert (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "real.py").read_text() == GOOD
    assert stat.S_IMODE((tmp_path / "real.py").stat().st_mode) == 0o750
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.py", "real.py"]


def test_fences_are_mended_in_place(tmp_path: Path) -> None:
    """With the margin of the list or quote they stand in; several in one file."""
    text = (
        "- a\n\n  ```python\n  x = lookUp(1)\n\n  y = findIt(x)\n  ```\n\n"
        "> ```py\n> x = lookUp(1)\n> ```\n\n```python\nobs = findIt(1)\n```"
    )
    written(tmp_path, {"a.md": text})
    assert checked(tmp_path, "a.md", "--fix").code == 0
    expected = text.replace("lookUp", "look_up").replace("findIt", "find_it")
    assert (tmp_path / "a.md").read_text() == expected


def test_a_repair_may_add_lines_to_a_fence(tmp_path: Path) -> None:
    """What follows moves down, and the findings with it."""
    text = "> ```py\n> put(get_it(1))\n> ```\n\n```python\nfor a in [1]:\n    put(a)\n```\n"
    written(tmp_path, {"a.md": text})
    answer = checked(tmp_path, "a.md", "--fix", "--output-format", "concise", "-q")
    lines = (tmp_path / "a.md").read_text().splitlines()
    assert len(lines) == 9
    assert all(line.startswith("> ") for line in lines[:4])
    assert answer.out == "a.md:8:5: RC110 the placeholder put stands in a loop\n"


def test_diff_shows_and_changes_nothing(tmp_path: Path) -> None:
    """Exit code 1 if there is a diff, which `patch` would take."""
    written(tmp_path, {"plan.py": BAD})
    answer = checked(tmp_path, "plan.py", "--diff")
    assert answer == Answer(
        1,
        "--- plan.py\n+++ plan.py\n@@ -1,2 +1,2 @@\n"
        "-x = lookUp(1)\n-y = findIt(x)\n+x = look_up(1)\n+y = find_it(x)\n",
        "--fix would make 2 repairs in 1 file.\n",
    )
    assert (tmp_path / "plan.py").read_text() == BAD
    written(tmp_path, {"plan.py": GOOD})
    assert checked(tmp_path, "plan.py", "--diff") == Answer(0, "", "Nothing would change.\n")


@pytest.mark.skipif(
    shutil.which("patch") is None and "patch" not in REQUIRED, reason="needs the program patch"
)
@pytest.mark.parametrize(
    "content",
    [
        BAD,
        BAD.replace("\n", "\r\n"),
        BAD.replace("\n", "\r\n", 1),
        BAD.rstrip("\n"),
        "\ufeff" + BAD,
        "z = 'é漢'\n" + BAD + "f(x); f(y)",
    ],
)
@pytest.mark.parametrize("name", ["plan.py", "a plan.py", 'a"b\\c\n.py', "é.py"])
def test_patch_makes_of_a_diff_what_fix_makes(tmp_path: Path, content: str, name: str) -> None:
    """Byte for byte, in a locale that has no such letters too."""
    for folder in ("fixed", "patched"):
        written(tmp_path / folder, {name: content})
    subprocess.run([RECODE, "check", "--fix"], cwd=tmp_path / "fixed", capture_output=True)
    shown = subprocess.run(
        [RECODE, "check", "--diff"], cwd=tmp_path / "patched", capture_output=True,
        env={"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    )  # fmt: skip
    command = ["patch", "--strip=0", "--binary", "--quiet"]
    subprocess.run(command, cwd=tmp_path / "patched", input=shown.stdout, check=True)
    expected = (tmp_path / "fixed" / name).read_bytes()
    assert expected != content.encode()
    assert (tmp_path / "patched" / name).read_bytes() == expected


def test_a_diff_in_a_terminal_is_plain_lines(tmp_path: Path) -> None:
    """What only `patch` needs to see is not shown there."""
    text = Text(("x = 1\r\n", "f(x)\t"), "utf-8")
    diff = differences("a b.py", text, replace(text, lines=("x = 1\r\n", "g(x)\t")))
    assert harmless(diff).splitlines() == [
        "--- a b.py",
        "+++ a b.py",
        "@@ -1,2 +1,2 @@",
        " x = 1",
        "-f(x)",
        "\\ No newline at end of file",
        "+g(x)",
        "\\ No newline at end of file",
    ]
    assert harmless("") == ""


def test_replies_are_shown_mended_but_not_rewritten(tmp_path: Path) -> None:
    """They are a record of what a model said."""
    row = '{"reply": "<execute>\\nx = lookUp(1)\\n</execute>"}\n'
    written(tmp_path, {"r.jsonl": row})
    assert checked(tmp_path, "r.jsonl", "--diff") == Answer(
        1,
        "--- r.jsonl:1\n+++ r.jsonl:1\n@@ -1 +1 @@\n-x = lookUp(1)\n+x = look_up(1)\n",
        "Shown: 1 repair of replies, which are not rewritten.\n",
    )
    answer = checked(tmp_path, "r.jsonl", "--fix")
    assert answer.code == 1
    assert answer.out.endswith("replies are not rewritten; --diff shows 1 repair of them\n")
    assert (tmp_path / "r.jsonl").read_text() == row


def test_standard_input_is_mended_to_standard_output(tmp_path: Path) -> None:
    """And the findings go to standard error."""
    answer = checked(tmp_path, "-", "--fix", "-q", stdin=BAD + "for a in [1]:\n    put(a)\n")
    assert answer.code == 1
    assert answer.out == GOOD + "for a in [1]:\n    put(a)\n"
    assert answer.err.startswith("RC110 the placeholder put stands in a loop\n")


def test_a_file_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    """It stays as it was, nothing is left beside it, and the message says why."""
    written(tmp_path, {"plan.py": BAD})
    done = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -f 0; {RECODE} check plan.py --fix -q"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "recode: plan.py: could not be written: File too large\n"
    assert [path.read_text() for path in tmp_path.iterdir()] == [BAD]


def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    """Its folder would allow it, but somebody has said that the file is to stay."""
    written(tmp_path, {"plan.py": BAD})
    (tmp_path / "plan.py").chmod(0o444)
    done = subprocess.run(
        [*UNPRIVILEGED, RECODE, "check", "plan.py", "--fix", "-q"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "recode: plan.py: could not be written: Permission denied\n"
    assert (tmp_path / "plan.py").read_text() == BAD


def test_unsafe_repairs_are_made_only_when_asked_for(tmp_path: Path) -> None:
    """`--fix` leaves them; `--fix --unsafe-fixes` makes them; a hint says so."""
    case = next(
        case
        for rule in ALL_RULES
        for case in rule.INVALID.values()
        if isinstance(case, Case) and case.unsafe and not case.parent and case.depth_left is None
    )
    written(tmp_path, {"plan.py": case.source + "\n"})
    names = ("variable", case.variables), ("primitive", case.primitives), ("output", case.outputs)
    context = [word for option, some in names for one in some for word in (f"--{option}", one)]
    answer = checked(tmp_path, "plan.py", "--fix", *context)
    assert answer.code == 1
    assert answer.out.endswith("can be mended by --fix --unsafe-fixes\n")
    assert (tmp_path / "plan.py").read_text() == case.source + "\n"
    checked(tmp_path, "plan.py", "--fix", "--unsafe-fixes", *context)
    assert (tmp_path / "plan.py").read_text() == case.repaired + "\n"


def test_warnings_are_mended_too(tmp_path: Path) -> None:
    """What would be no reason to refuse a program is one to mend a file."""
    written(
        tmp_path,
        {"soft.toml": 'extends = "strict"\n[grammar]\nRC114 = "warning"\n', "plan.py": BAD},
    )
    checked(tmp_path, "plan.py", "--fix", "--policy", "soft.toml")
    assert (tmp_path / "plan.py").read_text() == GOOD
