"""Pages of a person's own account, beside allauth's."""

from django.urls import path

from playground.accounts import views

urlpatterns = [
    path("welcome/<str:token>", views.welcome, name="welcome"),
    path("accounts/keys/", views.api_keys, name="api-keys"),
    path("accounts/keys/<uuid:key_id>/revoke/", views.revoke_api_key, name="revoke-api-key"),
]
