from django.apps import AppConfig


class RecordingsConfig(AppConfig):
    name = "playground.recordings"
    label = "recordings"
