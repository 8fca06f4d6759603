"""Runs early warning over files of real use with outcomes, and shows how often it is right (make backtest)."""
