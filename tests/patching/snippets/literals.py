# ruff: noqa
# fmt: off
"""What literals and f-strings parse to differs most between Python versions."""

x, y, width, precision = 1.5, {"key": "value"}, 10, 3


def f_strings():
    """Docstring."""
    return [
        f"plain",
        f"",
        f"{x}",
        f"{x:}",
        f"{x!r}",
        f"{x=}",
        f"{x = !s:>{width}}",
        f"a{x}b{x}c",
        f"{x:{width}.{precision}f}",
        f"{x!r:^{width}}",
        f"{x:>{'1'}{'0'}}",
        f"{{literal}}",
        f"{{{x}}}",
        f"a{{b}}c{x}d{{",
        f"{y['key']}",
        f"{f'{x}'}",
        f"{(lambda z: z)(x)}",
        f"{x if x else y!s}",
        f"\N{GREEK SMALL LETTER ALPHA}{x}\n",
        rf"\d{x}\w",
        f"""
        {x}
          {
            x}
        """,
        f"{x:%H:%M}",
        f"{[a for a in 'b']}",
        f"{ {'a': 1}['a'] }",
    ]


def concatenation():
    return (
        "a" "b",
        "a" f"b{x}" "c",
        f"a" "b" f"{x}" f"",
        b"a" b"b",
        "" f"{x}" "",
        u"unicode",
        r"raw\n",
    )


def constants():
    return (
        None, True, False, ..., 0, -1, 10**20, 0x7FFFFFFFFFFFFFFFFFFFFFFF, 1_000, 1e999, 1.0, 2j,
        "\ud800", "é", "𝔘", "\U0001fae8", "\x7f", b"\xff", "'\"",
    )
