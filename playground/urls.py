"""Where everything is."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from playground import appearance
from playground.api.site import api
from playground.images import views as images

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("playground.sessions.urls")),
    path("", include("playground.recordings.urls")),
    path("images/<slug:slug>", images.image_page, name="image"),
    path("favicon.ico", RedirectView.as_view(url="/static/icon.svg")),
    path("appearance", appearance.choose, name="appearance"),
    path("", include("playground.accounts.urls")),
    path("", include("playground.host.urls")),
    path("", include("playground.sharing.urls")),
    path("api/v1/", api.urls),
    path("accounts/", include("allauth.urls")),
    # Through the site's own sign-in: Django's form asks for no second factor.
    path("django-admin/login/", secure_admin_login(admin.site.login)),
    path("django-admin/", admin.site.urls),
]
