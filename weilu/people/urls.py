"""Routes for organisations and their people."""

from weilu.people import body_urls, person_urls, roster_urls

urlpatterns = [*body_urls.urlpatterns, *person_urls.urlpatterns, *roster_urls.urlpatterns]
