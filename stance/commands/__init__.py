"""The commands of `stance`, one module for those that belong together; `stance.command_line` joins them."""
