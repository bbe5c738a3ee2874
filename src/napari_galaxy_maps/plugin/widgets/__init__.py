"""The parts that panels are made of: forms, tables, lists and plots."""
