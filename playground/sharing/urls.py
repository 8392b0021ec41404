"""Pages of guests."""

from django.urls import path

from playground.sharing import views

urlpatterns = [
    path("join", views.join, name="join"),
    path("join/look", views.look, name="join-look"),
    path("join/enter", views.enter, name="join-enter"),
    path("watch/<uuid:session_id>", views.watch, name="watch"),
    path("watch/<uuid:session_id>/state", views.state, name="watch-state"),
    path("watch/<uuid:session_id>/ask", views.ask, name="watch-ask"),
    path("watch/<uuid:session_id>/leave", views.leave, name="watch-leave"),
    path("sessions/<uuid:session_id>/watch", views.by_right, name="watch-by-right"),
]
