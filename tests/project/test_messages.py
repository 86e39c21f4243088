"""The Chinese texts: complete, current, and compiled. Nothing here needs GNU gettext."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils import translation
from django.utils.translation.template import templatize

ROOT = Path(__file__).parents[2]
APPS = ["project", "notifications", "media_jobs", "orders"]
PACKAGES = ["unfold", "django_celery_beat", "django_celery_results", "axes"]
"""What the operator sees besides our own; where it speaks no Chinese, `BORROWED` does."""
REWORDED = ["allauth.account", "allauth.mfa", "django.contrib.auth"]
"""What shoppers see, in Chinese but for some texts, and some of it in other words than ours."""
BORROWED = "project/borrowed"
CATALOGUES = [*APPS, BORROWED]
FORMS = ("gettext", "ngettext", "pgettext", "npgettext")
MARKS = {"_", "gettext_noop"} | {f"{form}{lazy}" for form in FORMS for lazy in ("", "_lazy")}
"""By what names a text is marked in Python."""
SAME_IN_CHINESE = {"API", "BIC", "IBAN", "SHA-256", "Webhook", "Webhooks"}
CHINESE = r"[\u4e00-\u9fff\uff00-\uffef]"
"""A character, or punctuation of its width."""
PLACEHOLDER = re.compile(r"%\(\w+\)[\d.]*[sdf]|%[sd]|</?\w+>|\{\w*\}")

Key = tuple[str | None, str, str | None]
"""What a text is found by: context, text, plural."""


def read_catalogue(app: str) -> polib.POFile:
    return polib.pofile(str(ROOT / app / "locale/zh_Hans/LC_MESSAGES/django.po"))


def key_of(entry: polib.POEntry) -> Key:
    return entry.msgctxt, entry.msgid, entry.msgid_plural or None


def texts_of(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def shown(key: Key) -> str:
    """What a page of the active language shows for the text."""
    context, text, plural = key
    if plural and context:
        return translation.npgettext(context, text, plural, 2)
    if plural:
        return translation.ngettext(text, plural, 2)
    return translation.pgettext(context, text) if context else translation.gettext(text)


def marked_in(source: str) -> Iterator[Key]:
    """Find the marked texts of some Python, as xgettext would."""
    for call in ast.walk(ast.parse(source)):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name | ast.Attribute)):
            continue
        name = call.func.id if isinstance(call.func, ast.Name) else call.func.attr
        if name not in MARKS or not call.args or not isinstance(call.args[0], ast.Constant):
            continue
        words = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
        form = name.removesuffix("_lazy")
        context = words.pop(0) if form in ("pgettext", "npgettext") else None
        plural = words[1] if form in ("ngettext", "npgettext") else None
        yield context, words[0], plural


def calls_in(template: str) -> str:
    """Return the calls of gettext that a template stands for, as Python."""
    text = r"""u?(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
    calls = rf"\b(?:{'|'.join(FORMS)}|_)\(\s*{text}(?:\s*,\s*{text})*(?:\s*,\s*count)?\s*\)"
    return "\n".join(re.findall(calls, templatize(template)))


def marked_texts(folder: Path) -> set[Key]:
    texts: set[Key] = set()
    for path in folder.rglob("*"):
        if path.suffix == ".py":
            texts.update(marked_in(path.read_text()))
        elif path.suffix in (".html", ".txt"):
            texts.update(marked_in(calls_in(path.read_text())))
    return texts


def test_marked_texts_are_found_in_python_and_in_templates() -> None:
    python = '_("a"); pgettext_lazy("c", "b"); ngettext("%d one", "%d many", n); print("x")'
    template = """{% translate "a" %}{% translate "b" context "c" %}{% blocktranslate count n=n %}
      {{ n }} one{% plural %}{{ n }} many{% endblocktranslate %}{{ x|default:_("it's") }}"""

    assert set(marked_in(python)) == {
        (None, "a", None),
        ("c", "b", None),
        (None, "%d one", "%d many"),
    }
    assert set(marked_in(calls_in(template))) == {
        (None, "a", None),
        ("c", "b", None),
        (None, "\n      %(n)s one", "%(n)s many"),
        (None, "it's", None),
    }


@pytest.mark.parametrize("app", APPS)
def test_a_catalogue_holds_what_is_marked_and_nothing_else(app: str) -> None:
    held = {key_of(entry) for entry in read_catalogue(app) if not entry.obsolete}

    marked = marked_texts(ROOT / app)

    assert marked - held == set(), "run bin/messages, then translate"
    assert held - marked == set(), "run bin/messages"


@pytest.mark.parametrize("app", CATALOGUES)
def test_every_text_is_translated_and_none_is_a_guess(app: str) -> None:
    catalogue = read_catalogue(app)

    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []


@pytest.mark.parametrize("app", CATALOGUES)
def test_chinese_texts_are_chinese(app: str) -> None:
    latin = {
        entry.msgid
        for entry in read_catalogue(app)
        for text in texts_of(entry)
        if not re.search(CHINESE, text)
    }

    assert latin <= SAME_IN_CHINESE


@pytest.mark.parametrize("app", CATALOGUES)
def test_a_translation_has_the_placeholders_of_its_text(app: str) -> None:
    for entry in read_catalogue(app):
        wanted = sorted(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        for text in texts_of(entry):
            assert sorted(PLACEHOLDER.findall(text)) == wanted, entry.msgid


@pytest.mark.parametrize("app", CATALOGUES)
def test_what_is_compiled_is_what_is_written(app: str) -> None:
    written = read_catalogue(app)

    compiled = polib.mofile(str(ROOT / app / "locale/zh_Hans/LC_MESSAGES/django.mo"))

    assert {key_of(entry): texts_of(entry) for entry in compiled} == {
        key_of(entry): texts_of(entry) for entry in written
    }, "run bin/messages"


@pytest.mark.parametrize("app", APPS)
def test_no_other_app_puts_its_own_words_in_place_of_ours(app: str) -> None:
    """Django knows one translation per text: ours come first, so they must agree."""
    with translation.override("zh-hans"):
        for entry in read_catalogue(app):
            assert shown(key_of(entry)) == texts_of(entry)[0], entry.msgid


def texts_in(names: list[str]) -> set[Key]:
    folders = (Path(str(importlib.import_module(name).__file__)).parent for name in names)
    return set().union(*(marked_texts(folder) for folder in folders))


def test_the_packages_speak_chinese_too() -> None:
    with translation.override("zh-hans"):
        english = {key for key in texts_in(PACKAGES) if not re.search(CHINESE, shown(key))}

    assert english == set(), f"translate them in {BORROWED}"


def test_shoppers_read_the_shops_words_and_not_a_packages() -> None:
    with translation.override("zh-hans"):
        password_rules = password_validators_help_texts()
        english = {key for key in texts_in(REWORDED) if not re.search(CHINESE, shown(key))}

        assert english == {(None, "WebAuthn", None)}
        assert translation.gettext("Incorrect code.") == "验证码不正确。"
        assert [rule for rule in password_rules if "你" in rule] == []


def test_nothing_is_borrowed_that_no_package_says() -> None:
    borrowed = {key_of(entry) for entry in read_catalogue(BORROWED)}

    assert borrowed - texts_in(PACKAGES + REWORDED) == set()
