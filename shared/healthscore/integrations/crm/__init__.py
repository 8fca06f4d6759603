"""CRM connectors: one protocol (`healthscore.integrations.crm.protocol`), and one file for each CRM."""
