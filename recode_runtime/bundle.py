"""Where the data that ships with the package lies: `policies/`.

In a wheel it is inside the package (`recode_runtime/_bundle/`), in a checkout beside it. The
place beside the package counts only if `pyproject.toml` is there too, so that a broken install
never reads a stranger's folder that happens to be called `policies`.
"""

from __future__ import annotations

from pathlib import Path

from recode_runtime.errors import BundleMissing

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder `name` (`"policies"`) of this install.

    Raises:
        BundleMissing: it is neither inside the package nor in a checkout around it.
    """
    inside = _PACKAGE / "_bundle" / name
    if inside.is_dir():
        return inside
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    raise BundleMissing(
        f"the folder {name!r} is missing from this install of recode-runtime ({_PACKAGE}): "
        "reinstall it with pip install --force-reinstall recode-runtime"
    )
