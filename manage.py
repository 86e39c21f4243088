#!/usr/bin/env python
"""Django's command line, for the shop that runs here or the one the environment names."""

import os
import sys

from project.local.env import load_local_env


def main() -> None:
    if sys.argv[1:2] == ["up"]:
        # Before Django: `up` makes what the settings need.
        from project.local.shop import up

        sys.exit(up())
    load_local_env()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    from django.core.management import execute_from_command_line

    from project.conf.reading import read_settings

    read_settings()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
