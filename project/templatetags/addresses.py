"""`{{ email|readable }}`: an e-mail address with its domain in its own script."""

from django import template

from project.email_addresses import readable_address

register = template.Library()


@register.filter
def readable(email: str) -> str:
    """Return the address for a page; rows and messages keep the ASCII form of its domain."""
    return readable_address(email)
