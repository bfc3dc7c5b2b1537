"""What pyproject.toml cannot say: the `migrations` folder is installed under a name of this project's own."""

from setuptools import find_packages, setup

MIGRATIONS = "clearinghouse_migrations"

setup(
    packages=[*find_packages(include=["clearinghouse", "clearinghouse.*"]), MIGRATIONS, f"{MIGRATIONS}.versions"],
    package_dir={MIGRATIONS: "migrations"},
)
