"""The tables that commands print, one a file."""
