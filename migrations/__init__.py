"""The steps that bring a database's schema up to date, run by `clearinghouse db upgrade`."""
