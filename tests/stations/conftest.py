"""Fixtures for the tests of the stations."""

import pytest

from tests.stations.station_site import Site


@pytest.fixture
def site() -> Site:
    return Site()
