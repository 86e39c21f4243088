"""The entry of the web process with `tests.agents.hooks`."""

from django.conf import settings

from project.wsgi import application

settings.ROOT_URLCONF = "tests.agents.hooks"

__all__ = ["application"]
