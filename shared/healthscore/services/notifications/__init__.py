"""From stored alerts to messages that people and machines receive."""
