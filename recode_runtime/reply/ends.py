"""The marks by which chat templates tell turns apart, and what follows the end of a turn."""

from __future__ import annotations

import re

from recode_runtime.reply.literals import blanked
from recode_runtime.reply.record import Change
from recode_runtime.reply.trial import Trial, without_borders

_CODE = "RC002"
_MARK = (
    r"(?:<[|\uff5c][^<>|\uff5c\n]{1,40}[|\uff5c]>|</?s>|<</?SYS>>|\[/?INST\]"
    r"|<(?:start|end)_of_turn>|<end_(?:code|action)>|<(?:bos|eos|pad)>)"
)
_SPEAKER = r"(?:[ \t]*(?:assistant|model)\b[ \t]*:?)?"
_AT_START = re.compile(rf"\s*(?:{_MARK}{_SPEAKER}\s*)+", re.IGNORECASE)
_END_OF_TURN = re.compile(
    r"<[|\uff5c](?:im_end|eot_id|eom_id|endoftext|end_of_text|end|eot|im_start"
    r"|end[_\u2581]of[_\u2581]sentence|start_header_id|user)[|\uff5c]>"
    r"|</s>|<(?:end|start)_of_turn>|<end_(?:code|action)>|<eos>|\[/?INST\]",
    re.IGNORECASE,
)
# A tag that was written wrongly or cut off: `</code>`, `</exec`, `<\execute>`, `</`.
_STRAY = re.compile(r"<[/\\][ \t]{0,3}\w{0,20}[ \t]{0,3}>?[ \t]*$|\n<[ \t]*\Z", re.MULTILINE)
_MOST_STRAY = 8


def ends_turn(prose: str) -> bool:
    """Whether the model's turn ends in a text that is no program."""
    return bool(_END_OF_TURN.search(prose))


def without_marks(text: str, _trial: Trial) -> Change | None:
    """The text between the marks of a chat template; what follows the end of the turn is no reply.

    Marks in strings and comments stay.
    """
    if "<" not in text and "[" not in text:
        return None
    start = _AT_START.match(text)
    kept = text[start.end() :] if start else text
    end = _END_OF_TURN.search(blanked(kept))
    kept = kept[: end.start()] if end else kept
    if kept == text:
        return None
    return Change(_CODE, "marks of a chat template were removed", kept)


def without_stray_tag(text: str, trial: Trial) -> Change | None:
    """The program before the first tag that is none of ours, if there is one."""
    for count, stray in enumerate(_STRAY.finditer(text)):
        if count == _MOST_STRAY:
            break
        if trial.reads(text[: stray.start()]):
            what = "a tag that does not match was removed"
            return Change(_CODE, what, without_borders(text[: stray.start()]))
    return None
