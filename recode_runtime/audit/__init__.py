"""`recode audit`: a corpus of escapes and abuses, run against a policy and the process sandbox.

- `cases` reads a corpus; `canaries` are what an escape would be seen by;
- `trials` runs one case in one session, `tapping` sees every byte that leaves it, `programs` is
  the text that is run; `stories` are the cases of several steps, `rendering` shows what came out;
- `verdicts` says what it all means;
- `host` is a process that plays the host, `crew` are several of them, and whoever dies is replaced;
- `control` shows on plain CPython that an attack is one;
- `auditing` is the whole of it, `tables` what people read, `door` the options.
"""
