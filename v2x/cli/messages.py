"""``v2x message``: messages between their bytes and JSON."""

from __future__ import annotations

import re
from pathlib import Path

import click

from v2x.cli.options import examples
from v2x.errors import V2XError

#: Larger inputs are no message: the largest of the set stays far below [byte].
MAX_INPUT_BYTES = 1 << 20
_HEX = re.compile(rb"(?:0[xX])?[0-9a-fA-F\s]*")
_DECODE_EXAMPLES = (
    "v2x message decode 30020080fa000a02000008260000000258",
    "v2x message decode frame.bin > frame.json",
)


@click.group("message", epilog=examples(*_DECODE_EXAMPLES, "v2x message encode frame.json"))
def message_group() -> None:
    """Decode and encode BSM, MAP, RSM, SPAT and RSI (T/CSAE 53), and Day-2 messages (T/CSAE 157).

    Of the Day-2 messages only CLPMM has the bytes of the standard; the layout of VIR, RSC, SSM,
    PSM, PAM, VPM and RTCM is our own, which others do not read.
    """


@message_group.command("decode", epilog=examples(*_DECODE_EXAMPLES))
@click.argument("source", metavar="FILE|HEX")
def decode_(source: str) -> None:
    """Print a message as JSON.

    FILE holds the UPER bytes of one message frame, or their hexadecimal digits; HEX is these
    digits. Names say the unit; "unavailable" stands for the code of that meaning, and a field
    that is left out was not sent.
    """
    from v2x.messages.csae.day2.frame import decode, to_json

    octets, file = _octets(source)
    try:
        click.echo(to_json(decode(octets)))
    except V2XError as error:
        error.file = file
        raise


def _octets(source: str) -> tuple[bytes, str | None]:
    """Return the bytes that are meant, and the file they come from."""
    if not _is_file(source):
        digits = source.encode("utf-8", "surrogateescape")
        if _HEX.fullmatch(digits):
            return _from_hex(digits, None), None
        raise V2XError(
            f"{_shortened(source)!r} is neither a file nor hexadecimal digits",
            remedy="name a file, or give the bytes of a message as digits",
        )
    content = _read(Path(source))
    return (_from_hex(content, source) if _HEX.fullmatch(content) else content), source


def _is_file(source: str) -> bool:
    try:
        return Path(source).is_file()
    except (OSError, ValueError):  # a name longer, or other, than any file has
        return False


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _from_hex(digits: bytes, file: str | None) -> bytes:
    text = b"".join(digits.split()).decode("ascii").lower().removeprefix("0x")
    if len(text) % 2:
        raise V2XError(f"{len(text)} hexadecimal digits are no whole number of bytes", file=file)
    return bytes.fromhex(text)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_INPUT_BYTES + 1)
    except OSError as error:
        raise V2XError(f"cannot be read: {error.strerror}", file=str(path)) from None
    if len(content) > MAX_INPUT_BYTES:
        raise V2XError(f"is larger than {MAX_INPUT_BYTES} bytes, no message is", file=str(path))
    return content


@message_group.command(
    "encode",
    epilog=examples(
        "v2x message encode frame.json", "v2x message encode frame.json --out frame.bin"
    ),
)
@click.argument("source", metavar="FILE.json", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write the bytes to a file instead.")
def encode_(source: Path, out: Path | None) -> None:
    """Print the UPER bytes of a message as hexadecimal digits.

    FILE.json is what  v2x message decode  prints.
    """
    from v2x.messages.csae.day2.frame import encode, from_json

    content = _read(source)
    try:
        octets = encode(from_json(content.decode("utf-8")))
    except UnicodeDecodeError:
        raise V2XError("is no text in UTF-8", file=str(source)) from None
    except V2XError as error:
        error.file = str(source)
        raise
    if out is None:
        click.echo(octets.hex())
        return
    try:
        out.write_bytes(octets)
    except OSError as error:
        raise V2XError(f"cannot be written: {error.strerror}", file=str(out)) from None
    click.echo(f"{out}: {len(octets)} bytes")
