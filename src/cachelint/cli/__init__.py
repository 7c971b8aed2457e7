"""The command line. Whatever imports it is the program: it changes settings of the process."""

import gc

# modules stay, and nearly all objects of a page are freed with it, without cycles: searching for
# cycles as often as usual would take a seventh of the time
gc.set_threshold(100_000)
