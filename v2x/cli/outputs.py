"""Files that commands write: refused before the work that fills them, not after."""

from __future__ import annotations

from pathlib import Path

from v2x.errors import V2XError

#: Endings of the names of pictures.
PICTURES = (".png", ".pdf", ".svg")


def check_output(out: Path, suffixes: tuple[str, ...], kind: str) -> None:
    """Refuse the name of a file that could not be written.

    Parameters
    ----------
    out
        File that a command is asked to write.
    suffixes
        Endings that its name may have, the usual one first.
    kind
        What the file is, such as "map", for the message.

    Raises
    ------
    V2XError
        If the name ends otherwise, is that of a folder, or its own folder does not exist.
    """
    if out.suffix.lower() not in suffixes:
        usual = out.with_suffix(suffixes[0]).name if out.name else f"NAME{suffixes[0]}"
        ends = f" ({', '.join(suffixes)})" if len(suffixes) > 1 else ""
        raise V2XError(f"is no name of a {kind}{ends}", file=str(out), remedy=f"write to {usual}")
    try:
        is_folder, has_folder = out.is_dir(), out.absolute().parent.is_dir()
    except OSError as error:
        raise V2XError(
            f"cannot be written: {error.strerror}", file=str(out), remedy="choose another name"
        ) from error
    if is_folder:
        raise V2XError("is a folder", file=str(out), remedy="name a file that is not there yet")
    if not has_folder:
        raise V2XError(
            f"cannot be written: there is no folder {str(out.parent)!r}",
            file=str(out),
            remedy="make the folder, or name another one",
        )


def check_picture(out: Path) -> None:
    """Refuse the name of a picture that could not be written; see :func:`check_output`."""
    check_output(out, PICTURES, "picture")
