#!/bin/sh
# A Django form whose file field shows its hidden initial value always says that the file changed.
#
# Expected: `show_hidden_initial=True` keeps the value that the page was opened with, so that
#   `changed_data` compares with it; a form that comes back as it was rendered changed nothing.
# Seen (Django 5.2.19): the rendered form, sent back untouched and without an upload, has the file
#   field in `changed_data`. The hidden input holds the file's name; `BoundField._has_changed` reads
#   it with `FileField.to_python`, which takes uploads only and refuses a text, and a refusal counts
#   as a change. Without the hidden value the same form says that nothing changed.
# So orders/desk/media.py names the stored file in a hidden text field of its own.
#
# Runs without any other project. Exits 0 while Django does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "Django==5.2.19"
"$folder/venv/bin/python" - <<'PYTHON'
import re
import sys

import django
from django.conf import settings

settings.configure(USE_I18N=False)
django.setup()

from django import forms


class Stored:
    """What a form gets of a stored file: its name and its address."""

    name, url = "papers/a.pdf", "/papers/a.pdf"

    def __str__(self):
        return self.name


def changed(hidden):
    class Paper(forms.Form):
        title = forms.CharField(show_hidden_initial=hidden)
        file = forms.FileField(required=False, show_hidden_initial=hidden)

    initial = {"title": "Old", "file": Stored()}
    page = str(Paper(initial=initial))
    sent = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
    form = Paper({**sent, "title": "Old"}, {}, initial=initial)
    assert form.is_valid()
    return form.changed_data


print("Django", django.get_version())
print("with hidden initial values:", changed(True))
print("without them:", changed(False))
sys.exit(0 if (changed(True), changed(False)) == (["file"], []) else 1)
PYTHON
