"""`{% signed_url upload.file.name %}`: where a private file is read by who sees this page."""

from django import template

from media_jobs import private

register = template.Library()


@register.simple_tag
def signed_url(path: str) -> str:
    return private.signed_url(path)
