"""The standard score: its rules, the CRM component, and trends."""
