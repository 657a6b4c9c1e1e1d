"""The linter behind `recode check`: files in, findings out, in the formats that people and CI read.

The way of the data: `settings` (what is asked of a file) and `finding_files` (which files) give
`units.Unit`s; `pieces` cuts a file into programs; `checking` judges each, with `comments` and
`fixing`; `running` does so for all files on all cores; `formats` shows the result.
"""
