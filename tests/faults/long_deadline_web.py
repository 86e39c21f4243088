"""The shop's web process whose orders wait long for a locked row: the machine may be busy.

With WITHOUT_TIMEOUTS in its environment, PostgreSQL doesn't bound its pages' statements.
"""

import os

from project.wsgi import application

__all__ = ["application"]

from django.conf import settings

from orders.placing import placement

placement.DEADLINE = 60.0
if "WITHOUT_TIMEOUTS" in os.environ:
    settings.DATABASES["default"]["OPTIONS"].pop("options")
