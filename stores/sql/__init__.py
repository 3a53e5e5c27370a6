"""The SQL database of an installation: tables, transactions, migrations, and the move to another server."""
