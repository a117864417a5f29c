"""`python -m stance` is the `stance` command."""

if __name__ == "__main__":
    import runpy

    # Not imported: `stance_command` comes after this package in the order of imports.
    runpy.run_module("stance_command", run_name="__main__")
