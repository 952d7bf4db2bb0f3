"""Errors of a machine that gives too little, in words: they are no bug, and no mistake in a study."""

import errno

REMEDIES = {
    errno.ENOSPC: "free some of the disk",
    errno.EDQUOT: "free some of the disk",
    errno.EFBIG: "allow larger files (`ulimit -f`)",
    errno.EACCES: "give yourself the right to it",
    errno.EPERM: "give yourself the right to it",
    errno.EROFS: "make it writable",
    errno.EMFILE: "allow more of them (`ulimit -n`)",
    errno.ENFILE: "close other programs",
    errno.EAGAIN: "allow more processes (`ulimit -u`)",
    errno.ENOMEM: "close other programs",
    errno.EIO: "check the disk",
}


def machine_fault(error: BaseException) -> str:
    """Return what the machine lacks, with a remedy; nothing if the error has another cause."""
    # What the dynamic loader says where the address space or the memory does not hold a library
    unmapped = isinstance(error, ImportError) and "failed to map segment" in str(error)
    if isinstance(error, MemoryError) or unmapped:
        return "there is too little memory; close other programs, or allow more (`ulimit -v`)"
    if not isinstance(error, OSError) or error.errno not in REMEDIES:
        return ""
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror}{where}; {REMEDIES[error.errno]}"
