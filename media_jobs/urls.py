"""Where media files are read."""

from django.urls import path

from media_jobs import views

urlpatterns = [
    path("<path:path>", views.media, name="media"),
]
