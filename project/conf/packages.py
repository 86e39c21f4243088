"""Where installed packages are."""

from importlib.util import find_spec
from pathlib import Path


def folder_of(package: str) -> Path:
    """Return the folder of a package without loading it. Raises ModuleNotFoundError without it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} isn't installed: run bin/environment")
    return Path(spec.origin).parent
