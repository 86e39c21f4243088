"""`{% signed_url upload.file.name %}`: a signed URL of a private file, for this page's readers."""

from django import template

from media_jobs import signed_urls

register = template.Library()


@register.simple_tag
def signed_url(path: str) -> str:
    return signed_urls.signed_url(path)
