"""The form field of countries: their codes, separated by commas."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from project.countries import COUNTRIES


class CountryCodesField(SimpleArrayField):
    """Codes of `project.countries.COUNTRIES`, in small letters as well; each is kept once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(forms.CharField(), **options)

    def to_python(self, value: Any) -> Any:
        typed: Any = super().to_python(value)
        return list(dict.fromkeys(code.strip().upper() for code in typed if code.strip()))

    def validate(self, value: Sequence[Any]) -> None:
        super().validate(value)
        if unknown := [code for code in value if code not in COUNTRIES]:
            words = _("There is no country with the code %(codes)s. Codes are like DE, AT.")
            codes = pgettext("between parts", ", ").join(unknown)
            raise ValidationError(words % {"codes": codes})
