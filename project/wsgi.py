"""The WSGI application that gunicorn serves."""

import os

from project.local.env import load_local_env

load_local_env()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# Only the web process pools its connections: see DATABASES.
os.environ["TANDEM_WEB_PROCESS"] = "1"

from project.figures import folder  # noqa: E402

folder.make()  # before anything loads prometheus_client

from django.core.wsgi import get_wsgi_application  # noqa: E402 (needs the lines above)

from project.conf.reading import read_settings  # noqa: E402
from project.gunicorn import BOOT_ERROR  # noqa: E402
from project.warming import warm_up  # noqa: E402

read_settings(exit_status=BOOT_ERROR)

application = get_wsgi_application()
warm_up()
