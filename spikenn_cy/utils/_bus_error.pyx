"""One line for a mapped file that is cut short while it is read, of which the system tells by a signal and no error."""
from libc.string cimport strlen
from posix.signal cimport sigaction, sigaction_t
from posix.unistd cimport _exit, write

cdef extern from "<signal.h>" nogil:
    const int SIGBUS

cdef enum:
    STATUS = 2               # as of all that a user gave wrong

cdef char *text = (
    b"error: data: must stay as they are while a command uses them, got a file that was cut short or is lost\n"
)
cdef size_t length = strlen(text)


cdef void say_and_end(int number) noexcept nogil:
    # Only what may be called wherever a signal comes; nothing can go on where memory is missing.
    write(2, text, length)
    _exit(STATUS)


def end_at_bus_error():
    """From now on let a page that a mapped file has not any more end this process with one line and status 2.

    A process is asked for it that belongs to a command, and never one that only imports the package.
    """
    cdef sigaction_t action
    action.sa_handler = say_and_end
    action.sa_flags = 0
    sigaction(SIGBUS, &action, NULL)
