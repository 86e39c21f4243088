"""bin/environment: it finds a Python, and mends what it finds of .venv."""

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from project.local.env import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a requirements file and a complete environment that is only pretended."""
    shutil.copytree(ROOT / "bin", tmp_path / "bin")
    (tmp_path / "requirements.txt").write_text("one==1\n")
    return tmp_path


@pytest.fixture
def environment(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The checkout's bin/environment.py, with `run` pretending; `.calls` lists what it was told."""
    module = loaded(checkout)
    monkeypatch.setattr(module, "run", pretend_to_run(module))
    return module


def loaded(checkout: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment", checkout / "bin/environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pretend_to_run(module: ModuleType) -> Callable[..., None]:
    module.calls = []

    def run(*argv: str, progress: object = None) -> None:
        module.calls.append("venv" if "venv" in argv else "pip")
        packages = module.VENV / "lib/python3.11/site-packages"
        (packages / "one").mkdir(parents=True, exist_ok=True)
        (module.VENV / "bin").mkdir(exist_ok=True)
        if not module.PYTHON.exists():
            module.PYTHON.symlink_to("/bin/true")

    return run


def test_the_first_time_it_is_made_and_then_left_alone(environment: ModuleType) -> None:
    assert environment.main("requirements.txt") == 0
    assert environment.main("requirements.txt") == 0

    assert environment.calls == ["venv", "pip"]


def test_other_requirements_are_installed_on_top(environment: ModuleType) -> None:
    environment.main("requirements.txt")
    (environment.ROOT / "requirements.txt").write_text("one==2\n")

    environment.main("requirements.txt")

    assert environment.calls == ["venv", "pip", "pip"]


def test_what_the_tests_need_contains_what_the_shop_needs(environment: ModuleType) -> None:
    (environment.ROOT / "requirements-dev.txt").write_text("one==1\ntwo==2\n")
    environment.main("requirements-dev.txt")

    environment.main("requirements.txt")

    assert environment.calls == ["venv", "pip"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda venv: (venv / "installed.json").unlink(),  # as if cut off
        lambda venv: (venv / "installed.json").write_text('{"files"'),
        lambda venv: (venv / "installed.json").write_text("[]"),
        lambda venv: shutil.rmtree(venv / "lib/python3.11/site-packages/one"),
        lambda venv: (venv / "bin/python").unlink(),
        lambda venv: shutil.rmtree(venv),
    ],
    ids=["no stamp", "half a stamp", "no real stamp", "package gone", "python gone", "all gone"],
)
def test_a_damaged_environment_is_made_anew(environment: ModuleType, damage) -> None:
    environment.main("requirements.txt")
    damage(environment.VENV)
    environment.calls.clear()

    assert environment.main("requirements.txt") == 0

    assert environment.calls == ["venv", "pip"]


def test_a_failed_installation_is_one_line_and_no_environment(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*argv: str, progress: object = None) -> None:
        raise environment.Failed("ERROR: [Errno 28] No space left on device")

    monkeypatch.setattr(environment, "run", run)

    assert environment.main("requirements.txt") == 1

    assert capsys.readouterr().err.splitlines()[-1] == (
        "The environment can't be made: ERROR: [Errno 28] No space left on device"
    )
    assert environment.read_stamp() == {}


def test_the_stamp_names_what_was_installed(environment: ModuleType) -> None:
    environment.main("requirements.txt")

    assert json.loads(environment.STAMP.read_text())["packages"] == ["one"]


@pytest.mark.parametrize("script", ["up", "test"])
def test_a_python_that_is_too_old_is_one_clear_line(checkout: Path, script: str) -> None:
    old = checkout / "old"
    old.mkdir()
    for name in ("python", "python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (old / name).write_text("#!/bin/sh\nexit 1\n")
        (old / name).chmod(0o755)
    (old / "dirname").symlink_to(shutil.which("dirname") or "")

    refused = subprocess.run(
        ["/bin/sh", checkout / "bin" / script],
        env={**os.environ, "PATH": str(old)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 1
    assert refused.stderr.startswith("Tandem needs Python 3.11 or newer")
    assert len(refused.stderr.splitlines()) == 1


def test_a_newcomer_reads_how_long_it_takes(
    environment: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.main("requirements.txt")

    assert "Installing 1 packages of requirements.txt: a minute or two" in capsys.readouterr().err


def test_progress_is_a_line_every_ten_seconds_where_no_terminal_is(
    environment: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([0.0, 1.0, 10.0, 11.0, 20.0])
    progress = environment.Progress(2, clock=lambda: next(now))

    progress.line("Collecting one==1 (from -r requirements.txt)\n")
    progress.show()
    progress.show()
    progress.show()
    progress.line("Processing ./two-2-py3-none-any.whl\n")
    progress.line("Installing collected packages: one, two\n")
    progress.show()
    progress.end()

    assert capsys.readouterr().err == (
        "  1 of 2 packages are fetched (10 s)\n"
        "  2 of 2 packages are fetched, and are being unpacked (20 s)\n"
    )


def test_a_command_s_lines_are_taken_and_its_error_is_told(checkout: Path) -> None:
    module = loaded(checkout)
    progress = module.Progress(1)

    module.run("sh", "-c", "echo Collecting one", progress=progress)
    with pytest.raises(module.Failed, match=r"^ERROR: no network$"):
        module.run("sh", "-c", "echo WARNING: x >&2; echo ERROR: no network >&2; exit 1")

    assert progress._collected == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_starts_at_once_make_one_working_environment(checkout: Path) -> None:
    shutil.copy(ROOT / "requirements.txt", checkout)

    starts = [
        subprocess.Popen([checkout / "bin/environment", "requirements.txt"], stderr=subprocess.PIPE)
        for _ in range(2)
    ]

    said = [start.communicate()[1].decode() for start in starts]
    assert [start.returncode for start in starts] == [0, 0], said
    assert sorted(bool(text) for text in said) == [False, True]
    subprocess.run([checkout / ".venv/bin/python", "-c", "import django, pyvips"], check=True)
