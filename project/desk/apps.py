"""The configuration of django.contrib.admin: its site is the desk's."""

from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    default_site = "project.desk.site.DeskSite"
