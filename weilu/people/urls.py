"""Routes for organisations and their people."""

from weilu.people import body_urls

urlpatterns = [*body_urls.urlpatterns]
