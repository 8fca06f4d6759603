"""The book of accounts at full size, to be run by hand."""
