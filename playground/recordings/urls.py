"""Pages of recordings."""

from django.urls import path

from playground.recordings import views

urlpatterns = [
    path("recordings", views.recordings_page, name="recordings"),
    path("recordings/<uuid:recording_id>", views.recording_page, name="recording"),
    path("sessions/<uuid:session_id>/stop-recording", views.stop_recording, name="stop-recording"),
    path("recordings/<uuid:recording_id>/delete", views.delete_recording, name="delete-recording"),
]
