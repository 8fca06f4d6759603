"""The only part that speaks to DynamoDB; `keys` describes every item."""
