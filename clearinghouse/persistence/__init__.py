"""SQLAlchemy Core on PostgreSQL: tables, repositories, unit of work. The only importer of SQLAlchemy."""
