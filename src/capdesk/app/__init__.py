"""What people run: the command line, and the demonstration that it starts."""
