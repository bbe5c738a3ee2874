"""The report on a prediction whose truth is known: numbers, tables and figures in a folder."""
