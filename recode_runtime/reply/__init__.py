"""Model text -> thought and source.

A reply is `<think>...</think>` and `<execute>...</execute>`. Weaker models send less, so this also
reads tags that are missing, unclosed or badly written, Markdown fences, several blocks, prose and
marks of chat templates round the program, prompts, line numbers, typographic characters, and a
`def` wrapped round it all. Each repair is recorded; a repair that would have to guess is not made.

`tags` cuts the reply, `mending` makes Python of a block, `wrapper` takes the program out of a
`def`; `reader` is the way through all of them.
"""

from recode_runtime.reply.reader import (
    EMPTY,
    MOST_CHARACTERS,
    NO_PROGRAM,
    UNREADABLE,
    ReplyRead,
    read_reply,
)

__all__ = ["EMPTY", "MOST_CHARACTERS", "NO_PROGRAM", "UNREADABLE", "ReplyRead", "read_reply"]
