"""CRM connectors: one protocol (`healthscore.integrations.crm.protocol`), one file for each CRM."""
