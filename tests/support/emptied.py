"""Empties the database after a test that committed: what Django's `flush` does, without what that takes so long for."""

from django.db import OperationalError, connection, transaction

KEPT = {"django_content_type", "auth_permission"}
"""Every site has their rows since its migrations, and nobody changes them: `flush` deletes them and makes them anew."""


def empty_tables() -> None:
    """Waits for whoever writes. A process under test may wait for us meanwhile: PostgreSQL then ends one of the two."""
    for tries_left in (2, 1, 0):
        try:
            _delete_all()
        except OperationalError as error:
            if not ("deadlock" in str(error) and tries_left):
                raise
        else:
            return


def _delete_all() -> None:
    tables = [connection.ops.quote_name(name) for name in sorted(_names() - KEPT)]
    statements = [f"DELETE FROM {table}" for table in tables]
    if connection.vendor == "postgresql":
        # Rows that nobody else sees yet would stay otherwise. One trip to the server; and its TRUNCATE makes new files.
        statements = [f"LOCK TABLE {', '.join(tables)} IN SHARE ROW EXCLUSIVE MODE; {'; '.join(statements)}"]
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _names() -> set[str]:
    return set(connection.introspection.django_table_names(include_views=False))
