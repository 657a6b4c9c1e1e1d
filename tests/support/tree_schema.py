"""The JSON Schema of a tree, made from its types; run as a program it writes the shipped file."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from recode_runtime.tree import SCHEMA, Tree

SHIPPED = Path(__file__).parents[2] / "recode_runtime" / "schemas" / "tree-1.json"


def generated() -> dict[str, Any]:
    """The schema as the types of today make it, with the version pinned."""
    schema = msgspec.json.schema(Tree)
    tree = schema["$defs"]["Tree"]
    tree["properties"]["schema"] = {"const": SCHEMA}
    tree["required"].append("schema")
    for one in schema["$defs"].values():  # before Python 3.13 they come with their indentation
        if "description" in one:
            one["description"] = inspect.cleandoc(one["description"])
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA}
    plain: dict[str, Any] = json.loads(json.dumps(head | schema))
    return plain


if __name__ == "__main__":
    SHIPPED.write_text(json.dumps(generated(), indent=2) + "\n")
