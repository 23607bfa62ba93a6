"""A slow machine is no failure: what takes how long is measured in `bench/`, never in a test."""

from hypothesis import settings

settings.register_profile("capdesk", deadline=None)
settings.load_profile("capdesk")
