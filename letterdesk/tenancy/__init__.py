"""The life of an account as a whole: what it takes along when it goes, how it is purged, who runs the installation."""
