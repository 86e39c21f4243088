"""The WSGI application that gunicorn serves."""

import os

from project.local.env import load_local_env

load_local_env()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# Only the web process pools its connections: see DATABASES.
os.environ["TANDEM_WEB_PROCESS"] = "1"

from django.core.wsgi import get_wsgi_application  # noqa: E402 (needs the lines above)

application = get_wsgi_application()
