"""Pages about the host, for administrators."""

from django.urls import path

from playground.host import views

urlpatterns = [
    path("host", views.host_page, name="host"),
    path("host/probe", views.probe_again, name="probe-host"),
]
