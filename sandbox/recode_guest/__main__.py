"""The guest as a program: the zygote; its last argument is the number of its socket."""

from recode_guest.zygote import main

main()
