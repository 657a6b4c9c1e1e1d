"""What answers prompts: an OpenAI-compatible server, a script, an environment's expert."""

from __future__ import annotations

from collections.abc import Callable

from recode_runtime.models.base import Completion, Model
from recode_runtime.prompt import Request

__all__ = ["Completion", "Model", "model_from"]

_FORMS = (
    "expert                 the expert of the environment",
    "openai:NAME            a model of OpenAI, or of the server at the base URL",
    "NAME with a base URL   a model of any OpenAI-compatible server",
)


def model_from(
    spec: str,
    *,
    base_url: str | None = None,
    expand: Callable[[Request], str] | None = None,
) -> Model:
    """The model that a command line names; `expand` is the environment's expert, if it has one.

    Raises:
        ValueError: `spec` has none of the known forms, the environment has no expert, or an expert
            was given a base URL.
        ExtraMissing: the extra `openai` is needed and not installed.
        ModelUnavailable: there is no API key, or the base URL cannot be one.
    """
    if spec == "expert":
        if base_url:
            raise ValueError("a base URL goes with the name of a model that its server runs: NAME")
        return _expert(expand)
    prefix, _, rest = spec.partition(":")
    name = rest if prefix == "openai" else spec if base_url else ""
    if not name:
        raise ValueError(f"no model is called {spec!r}; the forms are:\n  " + "\n  ".join(_FORMS))
    # Each model is imported where it is wanted, to keep `import recode_runtime` cheap.
    from recode_runtime.models.openai import OpenAIModel

    return OpenAIModel(name, base_url=base_url)


def _expert(expand: Callable[[Request], str] | None) -> Model:
    if expand is None:
        raise ValueError("there is no expert here: name an environment that has one, or a model")
    from recode_runtime.models.expert import ExpertModel

    return ExpertModel(expand)
