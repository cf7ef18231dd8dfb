"""Runs a command under a terminal, and tells what stands on its screen.

    terminal.py COLUMNS[,COLUMNS…] COMMAND…

The terminal is a real one to the command (a pseudo-terminal of the kernel), and pyte stands in for its screen. With
several widths it is resized, as by hand, each time three more lines of progress have been seen. Prints one JSON object:
the exit code, and after each piece of output the columns and all lines that are not empty.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios

import pyte

ROWS = 60
PROGRESS = re.compile(r"^ *\d+/\d+ s")


def resize(terminal, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))


def main():
    widths = [int(columns) for columns in sys.argv[1].split(",")]
    child, terminal = pty.fork()
    if child == 0:
        # The parent sets the size before a byte is read.
        os.read(0, 1)
        os.execvp(sys.argv[2], sys.argv[2:])
    resize(terminal, widths[0])
    screen = pyte.Screen(widths[0], ROWS)
    stream = pyte.ByteStream(screen)
    attributes = termios.tcgetattr(terminal)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)
    os.write(terminal, b"\n")
    frames, progress = [], set()
    while True:
        readable, _, _ = select.select([terminal], [], [], 60)
        if not readable:
            sys.exit("nothing came for a minute")
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux tells so that the other end is closed.
            break
        if not piece:
            break
        stream.feed(piece)
        lines = [line.rstrip() for line in screen.display if line.strip()]
        frames.append({"columns": screen.columns, "lines": lines})
        progress.update(line for line in lines if PROGRESS.match(line))
        if len(widths) > 1 and len(progress) >= 3:
            widths.pop(0)
            progress.clear()
            resize(terminal, widths[0])
            screen.resize(ROWS, widths[0])
    _, status = os.waitpid(child, 0)
    print(json.dumps({"code": os.waitstatus_to_exitcode(status), "frames": frames}))


main()
