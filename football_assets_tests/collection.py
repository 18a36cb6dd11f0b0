"""Names of parametrized tests that are the same in every process that collects them."""


def parameter_id(value: object, argument: str) -> str | None:
    """Return the part of a test's name that stands for a parameter, or None for what pytest takes.

    Binary data is named after its argument: what is compressed when a module is imported may hold the time.
    """
    if isinstance(value, bytes) and not (value.isascii() and value.decode().isprintable()):
        return argument
    return None
