"""The program's beginning. Until the command line has taken over, Ctrl-C ends the process at once and without a word:
an exception that meets the loading of a library would be shown as a failure of the library."""

import signal


def main() -> None:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell may have it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tansiq.cli import main as command

    command()


if __name__ == "__main__":  # the web server's processes may read this file again
    main()
