"""After all stories: no password, key or token in any file but the settings and the keys."""

from __future__ import annotations

from clearinghouse.cli.cast import PARTNERS
from clearinghouse.cli.stage import Stage
from tests.stories.insight import login, tokens


def test_no_file_holds_a_secret(stage: Stage) -> None:
    secrets = {login(stage, place).password for place in PARTNERS} | set(stage.keys.values())
    for place in PARTNERS:
        of_days = tokens(stage, place)
        assert len(of_days) >= 2
        secrets |= set(of_days.values())
    assert len(secrets) >= 12
    assert min(map(len, secrets)) > 20
    looked_at = 0
    for path in stage.folder.rglob("*"):
        if path.suffix in (".toml", ".keys", ".key") or not path.is_file():
            continue
        content = path.read_bytes()
        looked_at += 1
        assert [secret for secret in secrets if secret.encode() in content] == [], path
    assert looked_at > 100
