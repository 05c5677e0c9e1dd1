"""The subcommands of ``surefill-train``, a module each: its arguments, and what it does."""
