"""`recode doctor`: what a machine gives the sandbox is measured, told, and the same for programs.

Other machines are this one behind a filter that gives their kernels' answers (`kernels.py`).
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from command_line import RECODE, Answer, recode
from kernels import ORDINARY, answering
from parts import REQUIRED
from recode_runtime.doctor.attempts import ATTEMPTS, MODULES, Tried, targets
from recode_runtime.doctor.examination import Examination, Wall
from recode_runtime.isolation import LAYERS
from recode_runtime.policy import Policy, shipped_names
from recode_runtime.sandboxes.layers import Lack, explained
from recode_runtime.sandboxes.machine import Machine

STRICT = Policy.named("strict")
# As root of a user namespace in which nobody else is mapped and no other can be made.
ALONE = ("unshare", "--user", "--map-root-user", "sh", "-c")
NO_MORE = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" "$@"'


def doctor(*arguments: str | Path, behind: tuple[str, ...] | list[str] = ()) -> Answer:
    """Run `recode doctor`, on the machine that the words before it make of this one."""
    command = [*behind, RECODE, "doctor", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return Answer(done.returncode, done.stdout, done.stderr)


def told(*arguments: str, code: int, behind: tuple[str, ...] | list[str] = ()) -> dict[str, Any]:
    """What `recode doctor --json` tells; it says nothing else, and ends with that code."""
    answer = doctor("--json", *arguments, behind=behind)
    assert (answer.code, answer.err) == (code, "")
    found: dict[str, Any] = json.loads(answer.out)
    return found


def lacks_of(found: dict[str, Any]) -> list[Lack]:
    """The layers that do not hold, as they were told."""
    return [
        Lack(one["name"], one["reason"], one["remedy"])
        for one in found["layers"]
        if not one["holds"]
    ]


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    """What came of each attempt."""
    return {one["what"]: one["verdict"] for one in found["attempts"]}


def test_the_default_policy_is_met_and_shown() -> None:
    """A line for each layer and each attempt, in words, without a terminal's colours."""
    answer = doctor()
    assert (answer.code, answer.err) == (0, "")
    lines = [line.rstrip() for line in answer.out.splitlines()]
    assert lines[0] == "✓ this machine gives the policy 'strict' what it requires"
    assert lines[1].startswith(
        f"machine  Linux {os.uname().release} on {os.uname().machine}, Python "
    )
    assert lines[2].startswith("session  the first opens in ")
    first = lines.index("Layers: what each keeps from a program") + 1
    assert [line.split()[1] for line in lines[first : first + len(LAYERS)]] == list(LAYERS)
    second = lines.index("Tried from inside: which layers keep it out, and their answer") + 1
    assert [line[3:].partition("  ")[0] for line in lines[second : second + len(ATTEMPTS)]] == [
        attempt.what for attempt in ATTEMPTS
    ]
    last = lines.index("Policies") + 1
    judged = [line for line in lines[last:] if line.startswith(("✓", "✗"))]
    assert [line.split()[1] for line in judged] == shipped_names()


def test_the_form_for_programs_is_stable() -> None:
    """The keys, the layers in their order, and what strict requires of them."""
    found = told(code=0)
    assert list(found) == [
        "version", "policy", "met", "complaint", "problem", "machine", "seconds", "layers",
        "attempts", "policies",
    ]  # fmt: skip
    assert [found[key] for key in ("version", "policy", "met", "complaint", "problem")] == [
        1, "strict", True, None, None,
    ]  # fmt: skip
    assert list(found["machine"]) == list(Machine.__slots__)
    assert found["seconds"]["first"] > 0
    assert found["seconds"]["warm"] > 0
    keys = ["name", "keeps", "holds", "wanted", "required", "reason", "remedy"]
    assert all(list(layer) == keys for layer in found["layers"])
    assert [layer["name"] for layer in found["layers"]] == list(LAYERS)
    required = {layer["name"] for layer in found["layers"] if layer["required"]}
    assert required == set(STRICT.isolation.require)
    assert all(list(one) == ["what", "verdict", "answer", "by"] for one in found["attempts"])
    assert list(found["policies"]) == shipped_names()


def test_what_was_measured_agrees_with_itself() -> None:
    """A layer holds or has a reason; a policy lacks what does not hold; nothing got through one."""
    found = told(code=0)
    absent = {lack.layer for lack in lacks_of(found)}
    assert all(bool(one["reason"]) is not one["holds"] for one in found["layers"])
    assert all(bool(one["remedy"]) is not one["holds"] for one in found["layers"])
    for name, judged in found["policies"].items():
        lacks = [layer for layer in Policy.named(name).isolation.require if layer in absent]
        assert judged == {"met": not lacks, "lacks": lacks}
    for one in found["attempts"]:
        assert one["verdict"] == "refused" or not one["by"]
        assert not absent & set(one["by"])
    by_seccomp = [one for one in found["attempts"] if "seccomp" in one["by"]]
    assert len(by_seccomp) == 6


async def test_every_attempt_gets_through_where_there_is_no_wall() -> None:
    """On plain Python each of them reaches what it is after: none is refused for want of effect."""
    program = (
        "import ctypes, json, os, sys\n"
        f"import {', '.join(MODULES)}\n"
        "source, given = json.load(sys.stdin)\n"
        "memory = ctypes.create_string_buffer(given['token'].encode())\n"
        "given |= {'pid': os.getpid(), 'address': ctypes.addressof(memory)}\n"
        "names = {**globals(), **given}\n"
        "exec(source, names)\n"
        "os.write(1, repr(names['got']).encode())\n"
    )
    async with targets(STRICT) as given:
        for attempt in ATTEMPTS:
            done = await _python(program, json.dumps([attempt.source, given]))
            assert (attempt.what, done) == (attempt.what, "True")


async def _python(program: str, given: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    out, _ = await process.communicate(given.encode())
    return out.decode()


def test_a_portable_policy_shows_what_it_leaves_open() -> None:
    """It is met, and what a program can reach under it is told."""
    found = told("--policy", "portable", code=0)
    assert found["met"]
    wanted = {one["name"] for one in found["layers"] if one["wanted"]}
    assert wanted == set(Policy.named("portable").isolation.require)
    came = verdicts(found)
    assert came["make executable memory"] == came["read a host file"] == "through"
    assert came["take more memory than allowed"] == "refused"
    assert all(one["by"] == [] for one in found["attempts"] if one["verdict"] == "through")
    lines = doctor("--policy", "portable").out.splitlines()
    assert any(line.rstrip().endswith("got through (nothing stands there)") for line in lines)
    assert sum(line.rstrip().endswith("left out") for line in lines) == len(LAYERS) - len(wanted)


def test_hardened_is_judged_by_every_layer() -> None:
    """Its exit code is 1 as soon as one does not hold, and `policy check` says the same."""
    found = told(code=0)
    lacks = lacks_of(found)
    answer = doctor("--policy", "hardened")
    check = recode("policy", "check", "hardened")
    if not lacks:
        assert answer.out.startswith("✓ this machine gives the policy 'hardened' what it requires")
        assert (answer.code, check) == (0, Answer(0, "hardened: ok\n", ""))
    else:
        assert answer.code == 1
        assert answer.out.startswith("✗ the policy 'hardened' requires ")
        assert (check.code, check.out) == (2, "")
        assert explained(lacks)[-1] in check.err


@pytest.mark.parametrize(
    ("answers", "layer", "error"),
    [
        ({"landlock_create_ruleset": "ENOSYS"}, "landlock", "Function not implemented"),
        ({"landlock_create_ruleset": "EOPNOTSUPP"}, "landlock", "Operation not supported"),
        ({"PR_SET_SECCOMP": "EINVAL"}, "seccomp", "Invalid argument"),
    ],
)
def test_a_kernel_without_a_layer_is_told(answers: dict[str, str], layer: str, error: str) -> None:
    """Exit code 1, the kernel's word and a remedy; `policy check` refuses in the same words."""
    kernel = [*ORDINARY, *answering(**answers)]
    found = told(code=1, behind=kernel)
    complaint = f"the policy 'strict' requires {layer}, which does not hold on this machine"
    assert (found["met"], found["complaint"]) == (False, complaint)
    (lack,) = [one for one in lacks_of(found) if one.layer == layer]
    assert error in lack.reason
    assert found["policies"]["strict"] == {"met": False, "lacks": [layer]}
    assert found["policies"]["portable"] == {"met": True, "lacks": []}
    through = verdicts(found)["make executable memory"] == "through"
    assert through == (layer == "seccomp")
    answer = doctor(behind=kernel)
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.startswith(f"✗ {complaint}\n")
    (explanation,) = explained([lack])
    assert explanation in answer.out.replace("\n", " ").replace("  ", " ")
    check = subprocess.run(
        [*kernel, RECODE, "policy", "check", "strict"], capture_output=True, text=True, timeout=60
    )
    assert (check.returncode, check.stdout) == (2, "")
    assert check.stderr == (
        f"recode: strict: {complaint} (`recode doctor` shows every layer):\n  {explanation}\n"
    )


@pytest.mark.parametrize("error", ["EPERM", "ENOSPC", "EINVAL"])
def test_an_ordinary_user_without_namespaces_has_the_default_policy(error: str) -> None:
    """Seccomp, Landlock and limits hold without; what does not is told once for all of them."""
    found = told(code=0, behind=[*ORDINARY, *answering(unshare=error)])
    absent = {lack.layer for lack in lacks_of(found)}
    namespaces = [name for name, layer in LAYERS.items() if layer.needs == "namespaces"]
    assert set(namespaces) <= absent
    assert not found["machine"]["is_root"]
    reasons = {lack.reason for lack in lacks_of(found) if lack.layer in namespaces}
    assert reasons == {f"unshare: {os.strerror(getattr(errno, error))}"}
    assert verdicts(found)["signal a host process"] == "refused"


def test_root_of_a_small_user_namespace_is_told_why() -> None:
    """Nobody else to become, and no further namespace: two reasons, each with its remedy."""
    try:
        subprocess.run([*ALONE, NO_MORE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        if "user-namespaces" in REQUIRED:
            raise
        pytest.skip(f"needs user namespaces: {problem}")
    found = told(code=1, behind=[*ALONE, NO_MORE])
    lacks = {lack.layer: lack for lack in lacks_of(found)}
    assert lacks["unprivileged-user"].remedy == (
        "run it as an ordinary user: in this user namespace root is alone"
    )
    assert lacks["user-namespace"] == Lack(
        "user-namespace",
        "unshare: No space left on device",
        "sysctl -w user.max_user_namespaces=15000 (it is 0)",
    )
    assert (found["machine"]["is_root"], found["machine"]["knows_other_users"]) == (True, False)


def test_a_machine_on_which_no_session_opens_is_told() -> None:
    """No crash: what went wrong is said, and no policy is met."""
    kernel = answering(pidfd_open="ENOSYS")
    found = told(code=1, behind=kernel)
    assert found["complaint"] == "no session of the policy 'strict' opens here"
    assert "Function not implemented" in found["problem"]
    assert found["seconds"] == {"first": None, "warm": None}
    assert (found["attempts"], lacks_of(found)[0].layer) == ([], "empty-environment")
    assert not any(judged["met"] for judged in found["policies"].values())
    answer = doctor(behind=kernel)
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.startswith("✗ no session of the policy 'strict' opens here\n")
    assert "Function not implemented" in answer.out
    assert answer.out.count("no session opens\n") == len(shipped_names())


def test_a_policy_that_the_guest_refuses_is_told(tmp_path: Path) -> None:
    """The machine is well, the policy is not: exit code 1, and the guest's word."""
    file = tmp_path / "mine.toml"
    file.write_text('extends = "strict"\n[language]\nmode = "python"\npreload = ["no_such"]\n')
    found = told("--policy", str(file), code=1)
    assert found["complaint"] == "no session of the policy 'mine' opens here"
    assert found["problem"].endswith("[language] preload: No module named 'no_such'")


def test_wrong_usage_is_told_in_a_line(tmp_path: Path) -> None:
    """An unknown policy, a wrong one, an unknown option: exit code 2."""
    file = tmp_path / "mine.toml"
    file.write_text('extends = "strict"\n[isolation]\nrequire = ["lndlock"]\n')
    for arguments, message in (
        (["--policy", "nonesuch"], "recode: there is no policy called 'nonesuch'; shipped are "),
        (["--policy", file], f"recode: {file}: require knows no layer 'lndlock'; did you mean "),
        (["--polcy", "strict"], "recode: No such option: --polcy"),
    ):
        answer = doctor(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith(message)
        assert answer.err.count("\n") == 1


SOUND = Examination(
    STRICT,
    Machine.here(),
    {"full": Wall(tuple(LAYERS)), "portable": Wall(tuple(LAYERS)[:4])},
    (0.1, 0.004, 0.006),
    (Tried("read a host file", "refused", "no", ("seccomp",)),),
)


def test_a_layer_that_does_not_do_what_it_says_is_a_complaint() -> None:
    """All hold by their own word, and a program got through one of them: the policy is not met."""
    assert SOUND.is_met
    assert SOUND.warm_seconds == 0.005
    breach = Tried("read a host file", "through", "", ("seccomp", "landlock"))
    breached = replace(SOUND, tried=(breach,))
    assert not breached.is_met
    assert breached.complaint == (
        "a layer does not hold though it is there: a program could read a host file"
    )


def test_attempts_that_cannot_be_made_are_a_complaint() -> None:
    """Nothing was measured, so nothing is promised."""
    untried = replace(SOUND, tried=(), problem="no room for files")
    assert untried.complaint == "nothing could be tried from inside"
    assert untried.to_dict()["problem"] == "no room for files"
