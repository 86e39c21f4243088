"""bin/leaks.py finds a secret, and knows an example again on another line."""

import json
from pathlib import Path
from runpy import run_path

from detect_secrets.settings import default_settings

from project.local.env import ROOT

LEAKS = run_path(str(ROOT / "bin" / "leaks.py"))
LEAK = "url = 'postgres://tandem:" + "hunter2hunter2@db.example.org/tandem'\n"


def test_a_password_in_a_file_is_found_and_known_again_on_another_line(tmp_path: Path) -> None:
    clean, leak = tmp_path / "clean.py", tmp_path / "leak.py"
    clean.write_text("url = 'postgres://db.example.org/tandem'\n")
    leak.write_text(LEAK)
    with default_settings():
        assert not LEAKS["scan"]([str(clean)])
        known = LEAKS["scan"]([str(leak)])
        leak.write_text("# Moved.\n" + LEAK)
        moved = LEAKS["scan"]([str(leak)])
        leak.write_text(LEAK.replace("hunter2", "swordfish"))
        other = LEAKS["scan"]([str(leak)])

    assert known
    assert not moved - known
    assert other - known


def test_the_settings_of_the_project_are_looked_through() -> None:
    assert {"project/settings.py", ".env.example", "deploy/settings.env"} <= set(LEAKS["files"]())


def test_the_baseline_names_files_by_their_paths_in_the_repository() -> None:
    """By whole paths each example would be a new secret in another folder."""
    known = json.loads((ROOT / LEAKS["BASELINE"]).read_text())["results"]
    named = set(known) | {secret["filename"] for secrets in known.values() for secret in secrets}

    assert named
    assert not [name for name in named if Path(name).is_absolute()]
