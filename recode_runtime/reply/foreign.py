"""Replies in another markup than ours: tags of another name, and JSON objects."""

from __future__ import annotations

import json
import re

from recode_runtime.reply.record import Change

_CODE = "RC002"

TAGGED = re.compile(r"<[ \t]{0,3}[/\\]?[ \t]{0,3}execute\b", re.IGNORECASE)
_PROGRAM = "code|python|py|program|script|exec|tool_code"
_OTHER = re.compile(rf"<(?P<name>{_PROGRAM})>(?P<text>.*?)</(?P=name)>", re.DOTALL | re.IGNORECASE)
_SQUARE = re.compile(r"\[(/?execute)\]", re.IGNORECASE)
_FENCED = re.compile(r"(?:```|~~~)[ \t]{0,9}(?:json)?[ \t]{0,9}\n(.*?)\n?(?:```|~~~)", re.DOTALL)
_PROGRAM_FIELDS = ("execute", *_PROGRAM.split("|"))
_THOUGHT_FIELDS = ("think", "thinking", "thought", "thoughts", "reasoning", "explanation", "plan")


def from_other_tags(text: str) -> Change | None:
    """The reply with our tags for others that hold code, if there is one pair of them."""
    if "[/" in text and _SQUARE.search(text):
        tagged = _SQUARE.sub(r"<\1>", text)
        return Change(_CODE, "[execute] was replaced by <execute>", tagged)
    found = list(_OTHER.finditer(text)) if "</" in text else []
    if len(found) != 1 or not found[0]["text"].strip():
        return None
    pair = found[0]
    tagged = f"{text[: pair.start()]}<execute>{pair['text']}</execute>{text[pair.end() :]}"
    return Change(_CODE, f"<{pair['name']}> was replaced by <execute>", tagged)


def from_json(text: str) -> Change | None:
    """The reply in our tags for an object with a program and nothing else but a thought."""
    text = text.strip()
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1].strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    named = {name.lower(): value for name, value in fields.items()}
    programs = [value for name, value in named.items() if name in _PROGRAM_FIELDS]
    thoughts = [value for name, value in named.items() if name in _THOUGHT_FIELDS]
    if len(programs) != 1 or len(programs) + len(thoughts) != len(fields):
        return None
    if not all(isinstance(value, str) for value in (*programs, *thoughts)):
        return None
    thought = "".join(f"<think>\n{value}\n</think>\n" for value in thoughts)
    tagged = f"{thought}<execute>\n{programs[0]}\n</execute>"
    return Change(_CODE, "a JSON object was replaced by its program", tagged)
