"""Routes of figures."""

from django.urls import path

from weilu.indicators import views

urlpatterns = [
    path("dashboard/", views.dashboard, name="dashboard"),
    path("figures/", views.figures, name="figures"),
    path("figures/<str:code>/", views.figure, name="figure"),
    path("figures/<str:code>/rows/", views.figure_rows, name="figure_rows"),
]
