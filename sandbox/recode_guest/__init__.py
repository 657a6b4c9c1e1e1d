"""The guest: the untrusted side of the wall, started as `python -I -m recode_guest`.

Standard library and RestrictedPython only. It imports nothing of the host; of this package the
host imports `wire` alone.
"""
