"""The URLs of media files."""

from django.urls import path

from media_jobs import views

urlpatterns = [
    path("<path:path>", views.media, name="media"),
]
