"""Commands of every role, on a database of the test's own."""

import pytest
from typer.testing import CliRunner

from clearinghouse.cli import app
from clearinghouse.ochp.operations import Role
from clearinghouse.stations.inventory import SAMPLE
from clearinghouse.stations.tariff_file import SAMPLE_TARIFFS
from tests.services.cdr_house import CdrHouse

COMMON = 'public_url = "https://here.example"\nplain_http = true\ndatabase_url = "{url}"\n'
PARTNERS = 'house_url = "https://hub.example"\nhouse_username = "me"\nhouse_password = "secret"\n'
SETTINGS = {
    Role.HOUSE: 'role = "house"\n',
    Role.OPERATOR: f'role = "operator"\n{PARTNERS}party_ids = ["DEOPS"]\nevse_file = "{SAMPLE}"\n'
    f'tariff_file = "{SAMPLE_TARIFFS}"\n',
    Role.PROVIDER: f'role = "provider"\n{PARTNERS}party_ids = ["DEPRO"]\n',
}


@pytest.fixture
def run(database_url, tmp_path, monkeypatch):
    """Runs a command of a role; its standard output, after its exit status was compared."""
    monkeypatch.setenv("COLUMNS", "400")

    def runs(*words, role=Role.HOUSE, status=0, given=None):
        settings = tmp_path / f"{role}.toml"
        settings.write_text(SETTINGS[role] + COMMON.format(url=database_url))
        result = CliRunner().invoke(app, [*map(str, words), "-s", str(settings)], input=given)
        assert result.exit_code == status, result.output
        return result.output

    return runs


@pytest.fixture
def house(store):
    """A house whose operator and provider roam."""
    return CdrHouse(store)
