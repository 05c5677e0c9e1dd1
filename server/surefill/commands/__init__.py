"""What each subcommand of ``surefill`` does; knows no protocol but through the server itself."""
