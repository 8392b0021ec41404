"""Django's backend for SQLite, whose transactions queue within a process: see `base`, a name that Django looks for."""
