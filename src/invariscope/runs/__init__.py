"""A measurement from plan to tables: execute, store, resume."""
