"""What README, CONTRIBUTING and docs/ name exists: files, links, modules, commands."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "docs/README.md"
GLOSSARY = ROOT / "docs/glossary.md"
GUIDES = sorted(
    {*ROOT.glob("*.md"), ROOT / ".env.example", *ROOT.glob("docs/**/*.md")}
    - {ROOT / "CHANGELOG.md"}  # names files and modules of earlier versions, too
)
FOLDERS = ("bin", "deploy", "docs", "media_jobs", "notifications", "orders", "project", "tests")

LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(r"(?<![\w./<>$*~-])\w[\w./-]*\.(?:py|md|toml|yaml|txt)\b")
FOLDER = re.compile(rf"(?<![\w./<>$*~-])(?:{'|'.join(FOLDERS)})/(?:[\w-]+/)*")
SCRIPT = re.compile(r"(?<![\w./$-])(?:bin/[\w-]+(?:\.py|\.toml)?|\.ci/\w+)")
MODULE = re.compile(r"(?:python3? -m |python:)([a-z][\w.]*\w)")
RETIRED = re.compile(r"\b(?:Doorbell|watchman|give_back|hold_back|one_at_a_time)\b")
"""Names that the code had; docs/glossary.md has today's."""
COMMAND = re.compile(r"manage\.py ([a-z]\w*)")


def relative(page: Path) -> str:
    """Return the page's path within the repository."""
    return page.relative_to(ROOT).as_posix()


@cache
def repository_paths() -> frozenset[str]:
    """Return every file of the source folders and of the root, relative to the root."""
    inside = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    return frozenset(
        path.relative_to(ROOT).as_posix()
        for path in [*ROOT.iterdir(), *inside]
        if "__pycache__" not in path.parts and path.is_file()
    )


def is_file(name: str) -> bool:
    """Tell whether a file has this path, or one that ends with it.

    Pages may leave out the app's folder, but not that of a test: many have the names of modules.
    """
    return name in repository_paths() or any(
        path.endswith(f"/{name}") for path in repository_paths() if not path.startswith("tests/")
    )


def is_module(name: str) -> bool:
    """Tell whether `python -m name` can start; an installed package counts too."""
    top, _, rest = name.partition(".")
    if not (ROOT / top).is_dir():
        return find_spec(top) is not None
    path = ROOT / top / rest.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_link(target: str, page: Path) -> bool:
    """Tell whether a relative link of the page leads to a file and, if it says so, a heading."""
    if re.match(r"[a-z]+:", target):
        return True
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    if not path.exists():
        return False
    return not anchor or anchor in anchors(path.read_text())


def missing_references(text: str, *, page: Path) -> list[str]:
    """Return what the page's text names and the repository doesn't have."""
    links = LINK.findall(text)
    prose = LINK.sub("]", text)
    return sorted(
        {
            *(link for link in links if not is_link(link, page)),
            *(name for name in FILE.findall(prose) if not is_file(name)),
            *(name for name in FOLDER.findall(prose) if not (ROOT / name).is_dir()),
            *(name for name in SCRIPT.findall(prose) if not (ROOT / name).exists()),
            *(name for name in MODULE.findall(prose) if not is_module(name)),
            *(name for name in COMMAND.findall(prose) if name not in get_commands()),
        }
    )


@pytest.mark.parametrize("page", GUIDES, ids=relative)
def test_page_names_only_what_exists(page: Path) -> None:
    assert missing_references(page.read_text(), page=page) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "`project/connections.py`",
        "`films.py`",
        "`project/watching/`",
        "[Jobs](docs/job.md)",
        "[Jobs](docs/jobs.md#no-such-heading)",
        "`bin/down`",
        "`python -m project.embedded run`",
        "`gunicorn -c python:project.unicorn project.wsgi`",
        "`manage.py mend`",
    ],
    ids=[
        "moved file",
        "renamed file",
        "no such folder",
        "no such page",
        "no such heading",
        "no such script",
        "moved module",
        "no such configuration",
        "no such command",
    ],
)
def test_control_wrong_name_is_found(wrong: str) -> None:
    assert len(missing_references(wrong, page=ROOT / "README.md")) == 1


def test_right_names_pass() -> None:
    text = (
        "[Jobs](docs/jobs.md#a-jobs-life), `project/relay.py`, `channels/smtp.py`, `orders/shop/`,"
        " `bin/up`, `python -m project.local.embedded run`, `python -m pytest`, `manage.py audit`"
    )
    assert missing_references(text, page=ROOT / "README.md") == []


@pytest.mark.parametrize("page", GUIDES, ids=relative)
def test_page_uses_no_retired_name(page: Path) -> None:
    assert RETIRED.findall(page.read_text()) == []


def test_control_retired_name_is_found() -> None:
    assert RETIRED.findall("`Doorbell.ring` and its watchman") == ["Doorbell", "watchman"]


def test_glossary_names_each_term_once_with_its_file() -> None:
    row = re.compile(r"^\| ([a-z][^|]*) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
    rows = row.findall(GLOSSARY.read_text())
    terms = [term for names, _ in rows for term in names.split(", ")]
    assert len(rows) >= 40
    assert len(terms) == len(set(terms))
    assert [names for names, files in rows if not FILE.search(files)] == []


def test_index_links_each_page_of_docs_once() -> None:
    links = sorted(link for link in LINK.findall(INDEX.read_text()) if "/" not in link)
    pages = sorted(page.name for page in ROOT.glob("docs/*.md") if page != INDEX)
    assert links == pages


def test_commit_hook_runs_the_quick_tier_and_fetches_nothing() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"repo: (\S+)", hooks) == ["local"]
    assert re.findall(r"entry: (.+)", hooks) == ["bin/test --quick"]
    assert re.findall(r"language: (\S+)", hooks) == ["system"]
