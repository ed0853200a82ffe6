"""The embedded default: local servers for a laptop, the demo and the tests, started, watched and stopped by us.

`stack.start_stack` runs PostgreSQL and the Temporal dev server; `recipients.Recipients` plays the receiving side of
email. Every server process stands under a guard (`guard.py`) and dies with the process that started it.
"""
