"""The model of people: their accounts by time, and their traits."""
