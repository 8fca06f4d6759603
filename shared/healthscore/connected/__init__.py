"""A CRM that is connected: read, matched with accounts, entered, and written back to."""
