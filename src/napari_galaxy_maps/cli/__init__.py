"""The command `galaxy-maps`: its subcommands and their options."""
