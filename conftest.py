"""Makes the rig's fixtures known to the tests of every room."""

pytest_plugins = ["tests.rig.plugin"]
