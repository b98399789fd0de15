"""`python -m letterdesk` is `letterdesk`."""

from letterdesk.config.command import main

main()
