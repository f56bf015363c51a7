"""Routes for organisations and their people."""

from django.urls import path

from weilu.people import views

urlpatterns = [path("organisations/<uuid:pk>/", views.organisation, name="organisation")]
