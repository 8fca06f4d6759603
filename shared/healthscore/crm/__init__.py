"""CRM connectors: one protocol (`healthscore.crm.protocol`), one file for each CRM."""
