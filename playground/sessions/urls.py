"""Pages of sessions."""

from django.urls import path

from playground.sessions import views

urlpatterns = [
    path("", views.catalogue, name="catalogue"),
    path("sessions/start", views.start, name="start-session"),
    path("sessions/<uuid:session_id>", views.session_page, name="session"),
    path("sessions/<uuid:session_id>/again", views.start_again, name="start-session-again"),
    path("sessions/<uuid:session_id>/extend", views.extend, name="extend-session"),
    path("sessions/<uuid:session_id>/pause", views.pause, name="pause-session"),
    path("sessions/<uuid:session_id>/resume", views.resume, name="resume-session"),
    path("sessions/<uuid:session_id>/end", views.end, name="end-session"),
]
