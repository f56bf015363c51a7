"""Routes of figures."""

from django.urls import path

from weilu.indicators import board_views, compare_views, definition_views, figure_map, published_views, views

urlpatterns = [
    path("dashboard/", views.dashboard, name="dashboard"),
    path("figures/", definition_views.figures, name="figures"),
    path("figures/published/", published_views.published_figures, name="published_figures"),
    path("figures/<str:code>/", views.figure, name="figure"),
    path("figures/<str:code>/rows/", views.figure_rows, name="figure_rows"),
    path("figures/<str:code>/definition/", definition_views.definition, name="figure_definition"),
    path("figures/<str:code>/compare/", compare_views.figure_compare, name="figure_compare"),
    path("figures/<str:code>/map/", figure_map.figure_map, name="figure_map"),
    path("figures/<str:code>/areas/", figure_map.figure_areas, name="figure_areas"),
    path("boards/", board_views.board_list, name="boards"),
    path("boards/new/", board_views.board_new, name="board_new"),
    path("boards/<uuid:pk>/", board_views.board_edit, name="board_edit"),
    path("boards/<uuid:pk>/remove/", board_views.board_remove, name="board_remove"),
    path("boards/<uuid:pk>/editions/", board_views.edition_new, name="edition_new"),
    path("editions/<uuid:pk>/", board_views.edition, name="edition"),
    path("editions/<uuid:pk>/<slug:name>/", board_views.edition_act, name="edition_act"),
    path("published/", board_views.public_boards, name="public_boards"),
    path("published/<uuid:pk>/", board_views.public_board, name="public_board"),
]
