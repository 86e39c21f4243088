"""`{% signed_url upload.file.name %}`: where a private file is read by who sees this page."""

from django import template

from media_jobs import signed_urls

register = template.Library()


@register.simple_tag
def signed_url(path: str) -> str:
    return signed_urls.signed_url(path)
