"""The table of venues below the map: those of a place, with their hours, a page at a time."""

from tests.venues.conftest import make_hall


def test_the_table_names_place_and_hours_and_has_pages(world, hall, sign_in, monkeypatch):
    monkeypatch.setattr("weilu.venues.views.TABLE_ROWS", 1)
    far = make_hall(world, name="红旗村议事厅", place=world.other_village)
    client, address = sign_in(world.county_clerk), f"/desk/venues/of/{world.county.code}/"
    page = client.get(address).content.decode()
    assert 'id="panel"' in page
    assert f'href="{hall.get_absolute_url()}"' in page
    assert "金穗社区" in page
    assert "09:00" in page
    assert f'href="{far.get_absolute_url()}"' not in page
    assert f"/map/?place={world.county.code}&amp;layer=venues&amp;page=2" in page
    assert f'href="{far.get_absolute_url()}"' in client.get(f"{address}?page=2").content.decode()


def test_a_place_outside_ones_scope_has_no_table(world, hall, sign_in):
    assert sign_in(world.stranger).get(f"/desk/venues/of/{world.village.code}/").status_code == 404
