"""Routes of the kernel."""

from django.urls import path

from weilu.records import views

urlpatterns = [
    path("messages/", views.messages, name="messages"),
    path("messages/read/", views.read_messages, name="messages_read"),
]
